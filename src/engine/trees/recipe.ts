import { compareTreePaths, type TreeChanges, type TreeEntry } from "../../tree/index.ts";

/**
 * One step that turns a base snapshot into the tree on disk. A recipe is the whole difference in one canonical order:
 * removals first, sorted, then additions, sorted. A state that returns therefore has the same recipe, and the engine,
 * which caches by recipe, already has its result.
 */
export type TreeStep =
  | { kind: "remove-file"; path: string }
  | { kind: "remove-directory"; path: string }
  | { kind: "directory"; entry: TreeEntry }
  | { kind: "file"; entry: TreeEntry }
  | { kind: "symlink"; entry: TreeEntry };

/** Limits beyond which a difference costs more than sending the tree again. */
export interface RecipeLimits {
  /** Number of steps that is always allowed, however small the tree. */
  smallSteps: number;
  /** Number of steps that is never exceeded, however large the tree. */
  largestSteps: number;
  /** Share of the tree's entries that is allowed in between. */
  share: number;
  /** Total bytes of changed files. */
  largestBytes: number;
}

export const recipeLimits: RecipeLimits = {
  smallSteps: 16,
  largestSteps: 400,
  share: 0.1,
  largestBytes: 32 * 1024 * 1024,
};

/** Why a difference cannot, or should not, be applied to the base. */
export type NewBaseReason = "many-changes" | "folder-mode" | "special-mode" | "name-reads-as-pattern";

/** Returns the steps for a difference, or why the tree should be sent as a new base. */
export function recipeOf(
  changes: TreeChanges,
  treeEntries: number,
  limits: RecipeLimits = recipeLimits,
): TreeStep[] | { newBase: NewBaseReason } {
  const removals: TreeStep[] = [];
  const additions: TreeStep[] = [];
  let removedFolder: string | undefined;
  const remove = (entry: TreeEntry): void => {
    // Removing a folder removes its content too.
    if (removedFolder !== undefined && entry.path.startsWith(removedFolder)) return;
    const isFolder = entry.type === "directory";
    if (isFolder) removedFolder = `${entry.path}/`;
    removals.push({ kind: isFolder ? "remove-directory" : "remove-file", path: entry.path });
  };

  for (const { before, after } of changes.changed) {
    if (before.type === "directory" && after.type === "directory") return { newBase: "folder-mode" };
  }
  // Writing keeps an existing file's mode and follows links; where either matters, the old entry is removed first.
  const replaced = changes.changed.filter(
    ({ before, after }) => before.type !== "file" || after.type !== "file" || before.mode !== after.mode,
  );
  const gone = [...changes.removed, ...replaced.map((change) => change.before)];
  for (const entry of sortEntries(gone)) remove(entry);
  const present = [...changes.added, ...changes.changed.map((change) => change.after)];
  let bytes = 0;
  for (const entry of sortEntries(present)) {
    // Engines write permission bits only; set-user-id, set-group-id and sticky bits travel with a whole tree.
    if (entry.type !== "symlink" && (entry.mode & 0o7000) !== 0) return { newBase: "special-mode" };
    additions.push({ kind: entry.type, entry });
    bytes += entry.sizeBytes;
  }

  const steps = [...removals, ...additions];
  const allowed = Math.min(limits.largestSteps, Math.max(limits.smallSteps, treeEntries * limits.share));
  if (steps.length > allowed || bytes > limits.largestBytes) return { newBase: "many-changes" };
  // A Dagger engine reads the path of a removal as a pattern: `[id].ts` would remove `i.ts`.
  if (removals.some((step) => "path" in step && /[*?[\]\\]/.test(step.path)))
    return { newBase: "name-reads-as-pattern" };
  return steps;
}

function sortEntries(entries: TreeEntry[]): TreeEntry[] {
  return entries.sort((a, b) => compareTreePaths(a.path, b.path));
}
