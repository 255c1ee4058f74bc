import { execFile } from "node:child_process";
import { ApiError } from "../values/errors.ts";
import { withoutProxies, type GitProxy } from "./proxy.ts";

export interface GitRefs {
  /** Commits by full ref name. An annotated tag maps to the commit that it tags. */
  commits: Map<string, string>;
  /** Ref that `HEAD` points to. */
  head?: string;
}

/**
 * Lists a remote's refs with git on the host. Function bodies' requests go through `proxy` and ignore the user's
 * configuration. Credentials are passed in the environment, not in arguments. Throws an `ApiError` when git is missing
 * or fails.
 */
export function fetchGitRefs(
  url: string,
  env: Record<string, string>,
  signal: AbortSignal,
  credentials: { token?: string; header?: string },
  proxy?: GitProxy,
): Promise<GitRefs> {
  if (url.startsWith("-")) throw new ApiError(`invalid git URL ${JSON.stringify(url)}`);
  const header = credentials.header ?? (credentials.token === undefined ? undefined : basic(credentials.token));
  const count = Number(proxy?.environment["GIT_CONFIG_COUNT"] ?? 0);
  const gitEnv = {
    ...(proxy === undefined ? env : withoutProxies(env)),
    // Function bodies must not use the user's git configuration, which includes credential helpers.
    ...(proxy === undefined ? {} : { ...proxy.environment, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" }),
    GIT_TERMINAL_PROMPT: "0",
    // The same protocols as BuildKit, which fetches the tree: no local repositories, no helper programs.
    GIT_ALLOW_PROTOCOL: "http:https:ssh:git",
    LC_ALL: "C",
    ...(header === undefined
      ? {}
      : {
          GIT_CONFIG_COUNT: String(count + 1),
          [`GIT_CONFIG_KEY_${count}`]: "http.extraHeader",
          [`GIT_CONFIG_VALUE_${count}`]: `Authorization: ${header}`,
        }),
  };
  return new Promise((resolve, reject) => {
    const options = { env: gitEnv, signal, maxBuffer: 256 * 1024 * 1024, timeout: 60_000 };
    execFile("git", ["ls-remote", "--symref", "--", url], options, (error, stdout, stderr) => {
      if (error === null) return resolve(parseRefs(stdout));
      if (error.code === "ENOENT")
        return reject(new ApiError("git repositories need git on the host of the embedded engine"));
      reject(new ApiError(`git ls-remote ${url}: ${stderr.trim() || error.message}`, {}));
    });
  });
}

/** Parses the output of `git ls-remote --symref`. */
export function parseRefs(text: string): GitRefs {
  const refs: GitRefs = { commits: new Map() };
  for (const line of text.split("\n")) {
    const [value = "", name = ""] = line.split("\t");
    if (name === "") continue;
    if (value.startsWith("ref: ")) {
      if (name === "HEAD") refs.head = value.slice(5);
    } else {
      // `tag^{}` follows `tag` and is the commit behind it.
      refs.commits.set(name.replace(/\^\{\}$/, ""), value);
    }
  }
  return refs;
}

function basic(token: string): string {
  return `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
}
