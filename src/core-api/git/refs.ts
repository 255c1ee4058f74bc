import { GitFailure, quietSsh, runRemoteGit } from "../../tree/index.ts";
import { inSlices } from "../../async/index.ts";
import { ApiError } from "../values/errors.ts";
import { withoutProxies, type GitProxy } from "./proxy.ts";

export interface GitRefs {
  /** Commits by full ref name. An annotated tag maps to the commit that it tags. */
  commits: Map<string, string>;
  /** Ref that `HEAD` points to. */
  head?: string;
}

/** Limit of the whole request. */
const timeoutMs = 60_000;
/** A million refs take some 70 MB. */
const maxBytes = 128 * 1024 * 1024;

/**
 * Lists a remote's refs with git on the host. Function bodies' requests go through `proxy` and ignore the user's
 * configuration. Credentials are passed in the environment, not in arguments. Throws an `ApiError` when git is missing
 * or fails.
 */
export async function fetchGitRefs(
  url: string,
  env: Record<string, string>,
  signal: AbortSignal,
  credentials: { token?: string; header?: string },
  proxy?: GitProxy,
): Promise<GitRefs> {
  if (url.startsWith("-")) throw new ApiError(`invalid git URL ${JSON.stringify(url)}`);
  const header = credentials.header ?? (credentials.token === undefined ? undefined : basic(credentials.token));
  const own = proxy === undefined ? env : { ...withoutProxies(env), ...proxy.environment };
  const count = Number(own["GIT_CONFIG_COUNT"] ?? 0) || 0;
  const gitEnv = {
    ...own,
    // Function bodies must not use the user's git configuration, which includes credential helpers.
    ...(proxy === undefined
      ? await ownSsh(url, env, signal)
      : { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" }),
    // The same protocols as BuildKit, which fetches the tree: no local repositories, no helper programs.
    GIT_ALLOW_PROTOCOL: "http:https:ssh:git",
    ...(header === undefined
      ? {}
      : {
          GIT_CONFIG_COUNT: String(count + 1),
          [`GIT_CONFIG_KEY_${count}`]: "http.extraHeader",
          [`GIT_CONFIG_VALUE_${count}`]: `Authorization: ${header}`,
        }),
  };
  const words = ["ls-remote", "--symref", "--", url];
  const text = await runRemoteGit(words, { env: gitEnv, signal, timeoutMs, maxBytes }).catch((error: unknown) => {
    if (!(error instanceof GitFailure)) throw error;
    if (error.kind === "missing") throw new ApiError("git repositories need git on the host of the embedded engine");
    throw new ApiError(`git ls-remote ${url}: ${error.stderr.trim() || error.message}`, {});
  });
  return inSlices(readRefs(text), signal);
}

/** Returns variables that keep OpenSSH from prompting: nobody at the daemon can answer. */
async function ownSsh(url: string, env: Record<string, string>, signal: AbortSignal): Promise<NodeJS.ProcessEnv> {
  if (/^https?:/i.test(url)) return {};
  const words = ["config", "--get", "core.sshCommand"];
  const configured = await runRemoteGit(words, { env, signal, timeoutMs, maxBytes }).catch(() => "");
  return quietSsh(env, configured);
}

/** Parses the output of `git ls-remote --symref`. */
export function parseRefs(text: string): GitRefs {
  const reading = readRefs(text);
  for (;;) {
    const { done, value } = reading.next();
    if (done === true) return value;
  }
}

/** Parses in steps, so that a million refs do not block the daemon. */
function* readRefs(text: string): Generator<void, GitRefs> {
  const refs: GitRefs = { commits: new Map() };
  for (let from = 0; from < text.length; yield) {
    // One step parses some thousand lines.
    const near = text.indexOf("\n", from + 100_000);
    const to = near === -1 ? text.length : near + 1;
    for (const line of text.slice(from, to).split("\n")) takeRef(refs, line);
    from = to;
  }
  return refs;
}

function takeRef(refs: GitRefs, line: string): void {
  const [value = "", name = ""] = line.split("\t");
  if (name === "") return;
  if (value.startsWith("ref: ")) {
    if (name === "HEAD") refs.head = value.slice(5);
  } else {
    // `tag^{}` follows `tag` and is the commit behind it.
    refs.commits.set(name.replace(/\^\{\}$/, ""), value);
  }
}

function basic(token: string): string {
  return `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
}
