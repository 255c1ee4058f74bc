/** Identifies a project, and with it the cache volumes of a session. */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { isInside, readRegular, realPathIfThere, regularTextIfThere, stateHome } from "../../paths/index.ts";
import { findGitRoot, gitDirectories, writeFileAtomically } from "../../tree/index.ts";
import type { OpenSessionOptions } from "../types.ts";

/**
 * Returns 24 hexadecimal digits that identify the repository and the module in it. A repository is identified by its
 * location, because a hostile clone could copy anything else, such as an id in a file or the URL of a remote. Worktrees
 * share their repository's identity; a moved or copied checkout starts with empty volumes. A session without a module
 * has volumes of its own. A module from elsewhere, such as fastloop's own, works on many projects, so the volumes are
 * the project's.
 */
export function projectIdentity({ workdir, module }: Pick<OpenSessionOptions, "workdir" | "module">): string {
  const project = realPathIfThere(workdir);
  const source = module === undefined ? project : realPathIfThere(module.sourceDir);
  const folder = isOf(project, source) ? source : (findGitRoot(project) ?? project);
  const root = findGitRoot(folder);
  const repository = root === undefined ? folder : commonFolder(root);
  const identity = [repository, root === undefined ? "" : path.relative(root, folder), module?.name ?? null];
  return createHash("sha256")
    .update(JSON.stringify(module === undefined ? [repository, null] : identity))
    .digest("hex")
    .slice(0, 24);
}

/** Reports whether a module belongs to the project: in the same repository, or in the project's folder or above. */
function isOf(project: string, source: string): boolean {
  const root = findGitRoot(source);
  if (root !== undefined) return root === findGitRoot(project);
  return isInside(project, source) || isInside(path.dirname(source), project);
}

const epochsFile = (env: NodeJS.ProcessEnv): string => path.join(stateHome(env), "volumes.json");

/**
 * Returns the prefix of a project's cache volume names: its identity, and how often it started over with new ones.
 * Nothing asks for the old ones again.
 */
export function volumesOf(
  options: Pick<OpenSessionOptions, "workdir" | "module">,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const identity = projectIdentity(options);
  const epoch = epochs(env)[identity] ?? 0;
  return epoch === 0 ? identity : `${identity}-${epoch}`;
}

/** Gives the project empty cache volumes from now on. */
export function newVolumes(
  options: Pick<OpenSessionOptions, "workdir" | "module">,
  env: NodeJS.ProcessEnv = process.env,
): void {
  const identity = projectIdentity(options);
  const all = epochs(env);
  mkdirSync(stateHome(env), { recursive: true, mode: 0o700 });
  writeFileAtomically(epochsFile(env), JSON.stringify({ ...all, [identity]: (all[identity] ?? 0) + 1 }), 0o600);
}

/** Entries that are not numbers are ignored; such a project has its first volumes. */
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

/** Returns the `.git` of the main checkout for a worktree that the main checkout knows; else the root's own. */
function commonFolder(root: string): string {
  const own = path.join(root, ".git");
  const { gitDir, commonDir } = gitDirectories(root);
  if (realPathIfThere(gitDir) === realPathIfThere(own)) return realPathIfThere(own);
  // A clone's `.git` file may point to anybody's repository, so that repository has to point back.
  const known =
    path.dirname(realPathIfThere(gitDir)) === path.join(realPathIfThere(commonDir), "worktrees") &&
    realPathIfThere(regularTextIfThere(path.join(gitDir, "gitdir")).trim()) === realPathIfThere(own);
  return known ? realPathIfThere(commonDir) : own;
}
