import { randomUUID } from "node:crypto";
import { chmod, lstat, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { emptyDirectory, edited, rootedTree, scratch } from "../values/rooted.ts";
import { recipeDigest } from "../values/ids.ts";
import { ApiError } from "../values/errors.ts";
import { applyChanges, changedPaths, type ChangedPaths } from "./changes.ts";
import { copyDirectory } from "./copy.ts";
import { applyPatch, git, patchText, writeFiles } from "./patch.ts";
import { kindOf, withTree } from "./read.ts";
import { withoutPath } from "./remove.ts";
import type { Call } from "../request/call.ts";
import type { Changeset, Directory, Tree } from "../values/values.ts";

export type Conflict = "FAIL_EARLY" | "FAIL" | "LEAVE_CONFLICT_MARKERS" | "PREFER_OURS" | "PREFER_THEIRS";

interface Side extends Changeset {
  paths: ChangedPaths;
}

/**
 * Merges changesets with git, as a Dagger engine does: changes of separate lines do not conflict. Throws an `ApiError`
 * for conflicts that `onConflict` does not resolve.
 */
export async function mergedChanges(
  call: Call,
  changesets: readonly Changeset[],
  onConflict: Conflict,
): Promise<Changeset> {
  const sides = await Promise.all(
    changesets.map(async (each) => ({ ...each, paths: await changedPaths(call, each.before, each.after) })),
  );
  if (onConflict === "FAIL_EARLY") refuseConflicts(sides);
  const before = await beforeAll(call, sides);
  const touched = new Set(sides.flatMap(({ paths }) => filesOf(paths)));
  const folder = path.join(await call.session.temporaryFolder(), randomUUID());
  await writeFiles(call, before, folder, [...touched]);
  await mergeInto(call, folder, sides, onConflict);
  await plainModes(folder);
  const merged: Directory = {
    ...emptyDirectory,
    tree: await call.session.hostTrees.directory(folder, {}, true, call.signal),
  };
  const changes = await changedPaths(call, await only(call, before, touched), merged);
  const files = (names: readonly string[]): string[] => names.filter((name) => !name.endsWith("/"));
  const removed = files(changes.allRemoved);
  const emptied = await foldersLeftEmpty(call, before, new Set(removed));
  const kept = { ...changes, added: files(changes.added), removed: [...removed, ...emptied] };
  return { type: "Changeset", before, after: { ...before, tree: applyChanges(before, merged, kept) } };
}

const filesOf = ({ added, modified, allRemoved }: ChangedPaths): string[] =>
  [...added, ...modified, ...allRemoved].filter((name) => !name.endsWith("/"));

/** Returns the paths that two sides change in conflicting ways, with a Dagger engine's words for the conflict. */
function conflictsOf(one: ChangedPaths, other: ChangedPaths): { path: string; why: string; isRemoval: boolean }[] {
  const [added, modified, removed] = [new Set(other.added), new Set(other.modified), new Set(other.removed)];
  const told =
    (why: string, isRemoval = false) =>
    (name: string) => ({ path: name, why, isRemoval });
  const gone = told("path modified in one changeset and removed in the other", true);
  return [
    ...one.added.filter((name) => added.has(name)).map(told("path added in both changesets")),
    ...one.modified.filter((name) => modified.has(name)).map(told("path modified in both changesets")),
    ...one.modified.filter((name) => removed.has(name)).map(gone),
    ...one.removed.filter((name) => modified.has(name)).map(gone),
  ];
}

function refuseConflicts(sides: readonly Side[]): void {
  const lines = sides.flatMap((one, index) =>
    sides
      .slice(index + 1)
      .flatMap((other) => conflictsOf(one.paths, other.paths))
      .map(({ path: name, why }) => `conflict between changesets at path ${JSON.stringify(name)}: ${why}`),
  );
  if (lines.length > 0) throw new ApiError(lines.join("\n"));
}

/** Returns the directory that the changes started from, all of their bases combined, without git's own folder. */
async function beforeAll(call: Call, sides: readonly Side[]): Promise<Directory> {
  const befores = [...new Map(sides.map(({ before }) => [recipeDigest(before), before])).values()];
  let tree: Tree = rootedTree(befores[0]!);
  for (const other of befores.slice(1)) tree = await (await copyDirectory(call, other, {}))(tree, "/");
  const hasGit = (await withTree(call, tree, (reader) => reader.stat("/.git", false))) !== undefined;
  return { ...emptyDirectory, tree: hasGit ? await withoutPath(call, tree, "/.git") : tree };
}

/** Commits each side on a branch of its own and merges them in the folder. */
async function mergeInto(call: Call, folder: string, sides: readonly Side[], onConflict: Conflict): Promise<void> {
  const run = (...args: string[]): Promise<string> => git(folder, args, [0]);
  const commit = async (name: string): Promise<void> => {
    await run("add", "--all", "--force");
    await run("commit", "--quiet", "--allow-empty", "--message", name);
  };
  await run("init", "--quiet", "--template=");
  await commit("base");
  const names = sides.map((_side, index) => ["ours", "theirs"][sides.length > 2 ? -1 : index] ?? `branch_${index}`);
  const base = (await run("rev-parse", "HEAD")).trim();
  for (const [index, side] of sides.entries()) {
    await run("checkout", "--quiet", "-b", names[index]!, base);
    await applyPatch(folder, await patchText(call, side, side.paths));
    await commit(names[index]!);
  }
  await run("checkout", "--quiet", names[0]!);
  const prefer = onConflict.startsWith("PREFER_") ? ["-X", onConflict.slice("PREFER_".length).toLowerCase()] : [];
  try {
    await run("merge", "--no-edit", "--no-commit", ...prefer, ...names.slice(1));
  } catch (error) {
    if (onConflict === "FAIL" || onConflict === "FAIL_EARLY") throw error;
    await chooseSides(run, sides, onConflict);
  }
  await rm(path.join(folder, ".git"), { recursive: true });
}

/** Resolves paths that one side changed and the other one removed. */
async function chooseSides(
  run: (...args: string[]) => Promise<string>,
  [ours, theirs]: readonly Side[],
  onConflict: Conflict,
): Promise<void> {
  const [ownRemoved, otherRemoved] = [new Set(ours!.paths.allRemoved), new Set(theirs!.paths.allRemoved)];
  for (const { path: name, isRemoval } of conflictsOf(ours!.paths, theirs!.paths)) {
    if (!isRemoval) continue;
    const isOurs =
      onConflict === "PREFER_OURS" ||
      (onConflict === "LEAVE_CONFLICT_MARKERS" && otherRemoved.has(name) && !ownRemoved.has(name));
    if ((isOurs ? ownRemoved : otherRemoved).has(name)) await run("rm", "--quiet", "--force", "--", name);
    else await run("checkout", "--quiet", isOurs ? "--ours" : "--theirs", "--", name);
  }
}

/** Reduces permissions to the executable bit, the only one that git tracks. */
async function plainModes(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const name = path.join(entry.parentPath, entry.name);
    if (entry.isFile()) await chmod(name, ((await lstat(name)).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

/** Returns a directory with only the named files, as far as they exist. */
async function only(call: Call, directory: Directory, names: ReadonlySet<string>): Promise<Directory> {
  return await withTree(call, directory.tree, async (reader) => {
    let tree = scratch;
    for (const name of names) {
      const at = path.posix.join(directory.path, name);
      const stat = await reader.stat(at, false);
      if (stat === undefined || kindOf(stat) === "DIRECTORY") continue;
      tree = edited(
        tree,
        kindOf(stat) === "SYMLINK"
          ? { action: "symlink", path: `/${name}`, target: stat.linkname }
          : { action: "copy-file", source: directory.tree, sourcePath: at, path: `/${name}` },
      );
    }
    return { ...emptyDirectory, tree };
  });
}

/** Returns the folders that become empty when these files are removed, which git removes too. */
async function foldersLeftEmpty(call: Call, directory: Directory, removed: ReadonlySet<string>): Promise<string[]> {
  if (removed.size === 0) return [];
  const left = new Set<string>();
  const emptied = new Set<string>();
  await withTree(call, directory.tree, async (reader) => {
    for await (const entry of reader.walk(directory.path)) {
      const isGone = removed.has(entry.relative);
      if (!isGone && kindOf(entry) === "DIRECTORY") continue;
      for (let folder = path.posix.dirname(entry.relative); folder !== "."; folder = path.posix.dirname(folder))
        (isGone ? emptied : left).add(folder);
    }
  });
  return [...emptied].filter((folder) => !left.has(folder)).map((folder) => `${folder}/`);
}
