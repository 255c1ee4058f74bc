/**
 * Commits of modules' repositories, each in a folder of the user's cache. A commit never changes, so a folder is
 * created once and never updated.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { cacheHome, lstatIfThere, namesIfThere } from "../../paths/index.ts";
import { printable } from "../../text/index.ts";
import { gitEnvironment, quietSsh, runRemoteGit, type GitFailure } from "../../tree/index.ts";
import type { GitSource } from "./git-source.ts";

/** A source that names its commit. */
export type PinnedSource = GitSource & { commit: string };

/** Limit of a whole fetch. */
const fetchTimeoutMs = 5 * 60_000;

/** Name of a folder whose checkout has not finished. */
const unfinished = /^[0-9a-f]{24}-[0-9a-f]{40,64}\.[0-9a-f-]{36}$/;

/** Returns the commit's folder, if it has been fetched. */
export function checkoutOf(source: PinnedSource, env: NodeJS.ProcessEnv): string | undefined {
  const folder = folderOf(source, env);
  return lstatIfThere(folder)?.isDirectory() === true ? folder : undefined;
}

/** Fetches the commit and returns its folder. Throws an error with git's message if that fails. */
export async function fetchCommit(source: PinnedSource, env: NodeJS.ProcessEnv): Promise<string> {
  const folder = folderOf(source, env);
  sweep(path.dirname(folder));
  const making = `${folder}.${randomUUID()}`;
  mkdirSync(making, { recursive: true, mode: 0o700 });
  const git = gitIn(making, filesEnvironment(env));
  try {
    await git("init", "--quiet", "--template=");
    await fetchInto(gitIn(making, await fetchEnvironment(making, env)), source);
    await git("checkout", "--quiet", "--detach", source.commit);
    const [, head] = (await git("rev-parse", "HEAD", "HEAD^{commit}")).split("\n");
    if (head !== source.commit) throw new Error(`${source.commit} is no commit`);
    // The remaining empty `.git` marks the top of a repository and has no configuration that could take effect.
    rmSync(path.join(making, ".git"), { recursive: true });
    mkdirSync(path.join(making, ".git"));
    renameSync(making, folder);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    // Another process may have created the folder meanwhile.
    if (checkoutOf(source, env) === undefined) throw error;
  }
  return folder;
}

type Git = (...words: string[]) => Promise<string>;

/** Fetches only the commit; if the server serves only named refs, fetches all of its branches and tags. */
async function fetchInto(git: Git, { url, commit }: PinnedSource): Promise<void> {
  const fetch = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"];
  try {
    await git(...fetch, "--depth=1", "--", url, commit);
  } catch {
    await git(...fetch, "--", url, "+refs/heads/*:refs/remotes/heads/*", "+refs/tags/*:refs/remotes/tags/*");
  }
}

/** Deletes folders of killed fetches; those of running ones are younger. */
function sweep(folder: string): void {
  const oldestMs = Date.now() - 6 * fetchTimeoutMs;
  for (const name of namesIfThere(folder) ?? []) {
    const at = path.join(folder, name);
    if (unfinished.test(name) && (lstatIfThere(at)?.mtimeMs ?? oldestMs) < oldestMs)
      rmSync(at, { recursive: true, force: true });
  }
}

/**
 * Writing the files ignores the user's settings: a filter of theirs would run on content that anybody may have written.
 */
const filesEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("GIT_CONFIG"))),
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_ATTR_NOSYSTEM: "1",
});

/** Fetching uses the user's credentials, proxies and addresses, and never prompts, as nobody may be there to answer. */
async function fetchEnvironment(folder: string, env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const configured = await gitIn(folder, env)("config", "--get", "core.sshCommand").catch(() => "");
  return { ...env, ...quietSsh(env, configured) };
}

/** Runs git with settings that keep the fetched files from making it run anything. */
function gitIn(folder: string, env: NodeJS.ProcessEnv): Git {
  const settings = [
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "core.autocrlf=false",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
  ];
  const options = { cwd: folder, env: gitEnvironment(env), timeoutMs: fetchTimeoutMs, maxBytes: 16 * 1024 * 1024 };
  return async (...words) => {
    try {
      return await runRemoteGit([...settings.flatMap((each) => ["-c", each]), ...words], options);
    } catch (cause) {
      const { message, stderr = "" } = cause as Partial<GitFailure>;
      const said = stderr.split("\n").find((line) => /^(?:fatal|error):/.test(line)) ?? stderr.trim();
      throw new Error(printable(said.replace(/^(?:fatal|error): /, "") || (message ?? "")), { cause });
    }
  };
}

function folderOf({ url, commit }: PinnedSource, env: NodeJS.ProcessEnv): string {
  const repository = createHash("sha256").update(url).digest("hex").slice(0, 24);
  return path.join(cacheHome(env), "git-modules", `${repository}-${commit}`);
}
