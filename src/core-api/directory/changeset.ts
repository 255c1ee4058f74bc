import { lstat, rm } from "node:fs/promises";
import path from "node:path";
import { isGitsFile } from "../../paths/index.ts";
import { ApiError } from "../values/errors.ts";
import { emptyDirectory, rootedTree } from "../values/rooted.ts";
import { diffTree } from "../values/diff.ts";
import { exportDirectory } from "../tree/export-directory.ts";
import { fileOf } from "../file/file.ts";
import { lineCounts, patchText } from "../tree/patch.ts";
import { id, load, loadAll, typeModule } from "../values/resolver.ts";
import type { Call } from "../request/call.ts";
import { changedPaths, type ChangedPaths } from "../tree/changes.ts";
import { mergedChanges, type Conflict } from "../tree/merge.ts";
import type { Changeset, Directory } from "../values/values.ts";

const sdl = /* GraphQL */ `
  enum ChangesetMergeConflict { FAIL_EARLY FAIL LEAVE_CONFLICT_MARKERS PREFER_OURS PREFER_THEIRS }
  enum ChangesetsMergeConflict { FAIL_EARLY FAIL }
  enum DiffStatKind { ADDED MODIFIED REMOVED RENAMED }

  type DiffStat implements Node {
    id: ID!
    kind: DiffStatKind!
    path: String!
    oldPath: String
    addedLines: Int!
    removedLines: Int!
  }

  "A comparison between two directories representing changes that can be applied."
  type Changeset implements Node & Syncer & Exportable {
    id: ID!
    sync: ID! @expectedType(name: "Changeset")
    before: Directory!
    after: Directory!
    layer: Directory!
    isEmpty: Boolean!
    addedPaths: [String!]!
    modifiedPaths: [String!]!
    removedPaths: [String!]!
    diffStats: [DiffStat!]!
    asPatch: File!
    export(path: String!): String!
    withChangeset(changes: ID! @expectedType(name: "Changeset"), onConflict: ChangesetMergeConflict = FAIL): Changeset!
    withChangesets(changes: [ID!]! @expectedType(name: "Changeset"), onConflict: ChangesetsMergeConflict = FAIL): Changeset!
  }
`;

const paths = (changeset: Changeset, call: Call): Promise<ChangedPaths> =>
  changedPaths(call, changeset.before, changeset.after);

const emptyChangeset: Changeset = { type: "Changeset", before: emptyDirectory, after: emptyDirectory };

const diffStatModule = typeModule<{ type: string }>("DiffStat", "", { id });

const changesetModule = typeModule<Changeset>("Changeset", sdl, {
  id,
  sync: async (changeset, _args: object, call) => {
    await paths(changeset, call);
    return call.session.ids.idOf(changeset);
  },
  before: (changeset) => changeset.before,
  after: (changeset) => changeset.after,
  layer: (changeset) => layerOf(changeset),
  isEmpty: async (changeset, _args: object, call) => {
    const { added, modified, allRemoved } = await paths(changeset, call);
    // Folders alone are no change, as in git.
    return [...added, ...modified, ...allRemoved].every((name) => name.endsWith("/"));
  },
  addedPaths: async (changeset, _args: object, call) => (await paths(changeset, call)).added,
  modifiedPaths: async (changeset, _args: object, call) => (await paths(changeset, call)).modified,
  removedPaths: async (changeset, _args: object, call) => (await paths(changeset, call)).removed,
  diffStats: async (changeset, _args: object, call) => {
    const changes = await paths(changeset, call);
    const lines = await lineCounts(call, changeset, changes);
    const renamed = new Set([...lines.values()].flatMap(({ oldPath }) => oldPath ?? []));
    const stat = (kind: string) => (name: string) => {
      const { added = 0, removed = 0, oldPath = null } = lines.get(name) ?? {};
      return {
        type: "DiffStat",
        kind: oldPath === null ? kind : "RENAMED",
        path: name,
        oldPath,
        addedLines: added,
        removedLines: removed,
      };
    };
    return [
      ...changes.added.map(stat("ADDED")),
      ...changes.modified.map(stat("MODIFIED")),
      ...changes.allRemoved.filter((name) => !renamed.has(name)).map(stat("REMOVED")),
    ].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  },
  asPatch: async (changeset, _args: object, call) =>
    fileOf("diff.patch", await patchText(call, changeset, await paths(changeset, call)), 0o644),
  export: async (changeset, args: { path: string }, call) => {
    const { added, modified, removed } = await paths(changeset, call);
    const ofGit = [...added, ...modified, ...removed].find(isGitsFile);
    // Changing files must not change what git executes (hooks and its configuration): agreeing to the former is not
    // agreeing to the latter.
    if (ofGit !== undefined) throw new ApiError(`a changeset with ${JSON.stringify(ofGit)} in it is not exported`);
    const folder = await exportDirectory(call, layerOf(changeset), args.path, false);
    for (const name of removed) await removeBelow(folder, name);
    return folder;
  },
  withChangeset: (changeset, args: { changes: string; onConflict: Conflict }, call) =>
    mergedChanges(call, [changeset, load<Changeset>(call, args.changes, "Changeset")], args.onConflict),
  withChangesets: async (changeset, args: { changes: string[]; onConflict: Conflict }, call) => {
    const others = loadAll<Changeset>(call, args.changes, "Changeset");
    return others.length === 0 ? changeset : await mergedChanges(call, [changeset, ...others], args.onConflict);
  },
});

/**
 * Removes a path below a host folder unless a parent is a symbolic link on the host. What the link leads to is outside
 * the folder, even where the changeset has a real folder of this name.
 */
async function removeBelow(folder: string, name: string): Promise<void> {
  const parents = name.split("/").slice(0, -1);
  for (let at = folder; ; at = path.join(at, parents.shift()!)) {
    if (at !== folder && (await lstat(at).catch(() => undefined))?.isDirectory() !== true) return;
    if (parents.length === 0) break;
  }
  await rm(path.join(folder, name), { recursive: true, force: true });
}

function layerOf(changeset: Changeset): Directory {
  return { ...emptyDirectory, tree: diffTree(rootedTree(changeset.before), rootedTree(changeset.after)) };
}

const changesetQuery = typeModule<unknown>("Query", "extend type Query { changeset: Changeset! }", {
  changeset: () => emptyChangeset,
});

export const changesetModules = [changesetModule, diffStatModule, changesetQuery];
