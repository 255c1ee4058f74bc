/** Whose cache volumes a session has. */
import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { readRegular, stateHome } from "../../paths/index.ts";
import { findGitRoot, gitDirectories, writeFileAtomically } from "../../tree/index.ts";
import type { OpenSessionOptions } from "../types.ts";

/**
 * 24 hexadecimal digits of the repository and the module in it. A repository is where it lies: whatever can be copied into
 * a clone, as an id in a file or the URL of a remote, a hostile one could claim. Worktrees are their repository; a checkout
 * that is moved, or copied, begins with empty volumes. A session without a module has volumes of its own. A module from
 * elsewhere, as fastloop's own, works for many projects: then it is the project whose volumes they are.
 */
export function projectIdentity({ workdir, module }: Pick<OpenSessionOptions, "workdir" | "module">): string {
  const project = realPath(workdir);
  const source = module === undefined ? project : realPath(module.sourceDir);
  const folder = isOf(project, source) ? source : (findGitRoot(project) ?? project);
  const root = findGitRoot(folder);
  const repository = root === undefined ? folder : commonFolder(root);
  const identity = [repository, root === undefined ? "" : path.relative(root, folder), module?.name ?? null];
  return createHash("sha256")
    .update(JSON.stringify(module === undefined ? [repository, null] : identity))
    .digest("hex")
    .slice(0, 24);
}

/** Whether a module is of the project that is worked in: in its repository, or in its folder or above. */
function isOf(project: string, source: string): boolean {
  const root = findGitRoot(source);
  if (root !== undefined) return root === findGitRoot(project);
  const isBelow = (folder: string, file: string): boolean => file === folder || file.startsWith(`${folder}${path.sep}`);
  return isBelow(project, source) || isBelow(path.dirname(source), project);
}

const epochsFile = (env: NodeJS.ProcessEnv): string => path.join(stateHome(env), "volumes.json");

/**
 * What the names of a project's cache volumes begin with: its identity, and how often it began with new ones. The old ones
 * have a name that nobody asks for any more.
 */
export function volumesOf(
  options: Pick<OpenSessionOptions, "workdir" | "module">,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const identity = projectIdentity(options);
  const epoch = epochs(env)[identity] ?? 0;
  return epoch === 0 ? identity : `${identity}-${epoch}`;
}

/** From now on the project has empty cache volumes. */
export function newVolumes(
  options: Pick<OpenSessionOptions, "workdir" | "module">,
  env: NodeJS.ProcessEnv = process.env,
): void {
  const identity = projectIdentity(options);
  const all = epochs(env);
  mkdirSync(stateHome(env), { recursive: true, mode: 0o700 });
  writeFileAtomically(epochsFile(env), JSON.stringify({ ...all, [identity]: (all[identity] ?? 0) + 1 }), 0o600);
}

/** What is no number there counts for nothing: then the project has the volumes that it had at first. */
function epochs(env: NodeJS.ProcessEnv): Record<string, number> {
  try {
    const value = JSON.parse(readRegular(epochsFile(env)).toString("utf8")) as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(value).filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1])),
    );
  } catch {
    return {};
  }
}

/** The main checkout's `.git` of a worktree that it knows of; else the root's own. */
function commonFolder(root: string): string {
  const own = path.join(root, ".git");
  const { gitDir, commonDir } = gitDirectories(root);
  if (realPath(gitDir) === realPath(own)) return realPath(own);
  // A `.git` file of a clone may point at anybody's repository: that one has to point back.
  const known =
    path.dirname(realPath(gitDir)) === path.join(realPath(commonDir), "worktrees") &&
    realPath(read(path.join(gitDir, "gitdir")).trim()) === realPath(own);
  return known ? realPath(commonDir) : own;
}

function read(file: string): string {
  try {
    return readRegular(file).toString("utf8");
  } catch {
    return "";
  }
}

function realPath(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file;
  }
}
