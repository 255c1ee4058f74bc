import path from "node:path/posix";
import type { RefStat } from "../../buildkit/types.ts";
import { kindOf, withTree, type TreeReader } from "./read.ts";
import type { Call } from "../request/call.ts";
import { type Directory, type Edit, type Tree } from "../values/values.ts";
import { edited } from "../values/rooted.ts";

/** Differences in `after`. Folders end with a slash, and all lists are sorted. */
export interface ChangedPaths {
  added: string[];
  modified: string[];
  /** Removed paths. A removed folder stands for everything in it. */
  removed: string[];
  /** Removed paths, including those in removed folders. */
  allRemoved: string[];
  /** Stat of every added and modified path, without the slash. */
  after: Map<string, RefStat>;
}

/**
 * Compares two directories like git: by type, execute permission, link target and content. Files are read only when
 * their metadata is equal.
 */
export async function changedPaths(call: Call, before: Directory, after: Directory): Promise<ChangedPaths> {
  return await withTree(call, before.tree, async (oldReader) =>
    withTree(call, after.tree, async (newReader) => {
      const changes: ChangedPaths = { added: [], modified: [], removed: [], allRemoved: [], after: new Map() };
      const old = new Map<string, RefStat>();
      for await (const entry of oldReader.walk(before.path)) old.set(entry.relative, entry);
      for await (const entry of newReader.walk(after.path)) {
        const name = entry.relative;
        const known = old.get(name);
        old.delete(name);
        const isFolder = kindOf(entry) === "DIRECTORY";
        if (known !== undefined && (kindOf(known) === "DIRECTORY") === isFolder) {
          if (
            isFolder ||
            (await isSame(
              oldReader,
              path.join(before.path, name),
              known,
              newReader,
              path.join(after.path, name),
              entry,
            ))
          )
            continue;
          changes.modified.push(name);
        } else {
          if (known !== undefined) old.set(name, known);
          changes.added.push(isFolder ? `${name}/` : name);
        }
        changes.after.set(name, entry);
      }
      for (const [name, entry] of old) changes.allRemoved.push(kindOf(entry) === "DIRECTORY" ? `${name}/` : name);
      changes.added.sort();
      changes.modified.sort();
      changes.allRemoved.sort();
      changes.removed = collapsed(changes.allRemoved);
      return changes;
    }),
  );
}

async function isSame(
  oldReader: TreeReader,
  oldPath: string,
  old: RefStat,
  newReader: TreeReader,
  newPath: string,
  current: RefStat,
): Promise<boolean> {
  if (kindOf(old) !== kindOf(current)) return false;
  if (kindOf(old) === "SYMLINK") return old.linkname === current.linkname;
  if (old.sizeBytes !== current.sizeBytes || canRun(old) !== canRun(current)) return false;
  return (await oldReader.read(oldPath)).equals(await newReader.read(newPath));
}

/** Reports whether a file is executable, the only permission that git tracks. */
function canRun(stat: RefStat): boolean {
  return (stat.mode & 0o111) !== 0;
}

function collapsed(paths: readonly string[]): string[] {
  const result: string[] = [];
  for (const name of paths) {
    const last = result.at(-1);
    if (last === undefined || !last.endsWith("/") || !name.startsWith(last)) result.push(name);
  }
  return result;
}

/** Applies changes to a tree: removals first, then additions and modifications from `after`. */
export function applyChanges(base: Directory, after: Directory, changes: ChangedPaths): Tree {
  const edits: Edit[] = changes.removed.map((name) => ({
    action: "remove",
    path: path.join(base.path, withoutSlash(name)),
  }));
  for (const name of [...changes.added, ...changes.modified].toSorted()) {
    const plain = withoutSlash(name);
    const stat = changes.after.get(plain)!;
    const target = path.join(base.path, plain);
    const owner = { uid: stat.uid, gid: stat.gid };
    const kind = kindOf(stat);
    if (kind === "DIRECTORY") edits.push({ action: "mkdir", path: target, mode: stat.mode & 0o777, owner });
    else if (kind === "SYMLINK")
      edits.push({ action: "remove", path: target }, { action: "symlink", path: target, target: stat.linkname });
    else
      edits.push({ action: "copy-file", source: after.tree, sourcePath: path.join(after.path, plain), path: target });
  }
  return edits.reduce<Tree>((tree, edit) => edited(tree, edit), base.tree);
}

function withoutSlash(name: string): string {
  return name.endsWith("/") ? name.slice(0, -1) : name;
}
