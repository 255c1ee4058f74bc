import { randomUUID } from "node:crypto";
import path from "node:path";
import { emptyDirectory } from "../values/rooted.ts";
import { exportDirectory } from "../tree/export-directory.ts";
import { readText } from "../file/file.ts";
import { applyPatch } from "../tree/patch.ts";
import { load, type Resolver } from "../values/resolver.ts";
import type { Call } from "../request/call.ts";
import { applyChanges, changedPaths } from "../tree/changes.ts";
import type { Changeset, Directory, File } from "../values/values.ts";

export const directoryChangeSdl = /* GraphQL */ `
    changes(from: ID! @expectedType(name: "Directory")): Changeset!
    withChanges(changes: ID! @expectedType(name: "Changeset")): Directory!
    withPatch(patch: String!): Directory!
    withPatchFile(patch: ID! @expectedType(name: "File")): Directory!
`;

export const directoryChangeResolvers: Record<string, Resolver<Directory>> = {
  changes: (directory, args: { from: string }, call) =>
    ({
      type: "Changeset",
      before: load<Directory>(call, args.from, "Directory"),
      after: directory,
    }) satisfies Changeset,
  withChanges: async (directory, args: { changes: string }, call) => {
    const { before, after } = load<Changeset>(call, args.changes, "Changeset");
    return { ...directory, tree: applyChanges(directory, after, await changedPaths(call, before, after)) };
  },
  withPatch: (directory, { patch }: { patch: string }, call) => patched(call, directory, patch),
  withPatchFile: async (directory, args: { patch: string }, call) =>
    patched(call, directory, await readText(call, load<File>(call, args.patch, "File"))),
};

/**
 * Applies a patch with git on the host and turns the result back into changes, because git defines what a patch means.
 */
async function patched(call: Call, directory: Directory, patch: string): Promise<Directory> {
  if (patch.trim() === "") return directory;
  const folder = path.join(await call.session.temporaryFolder(), randomUUID());
  await exportDirectory(call, directory, folder, false);
  await applyPatch(folder, patch);
  const tree = await call.session.hostTrees.directory(folder, {}, true, call.signal);
  const after: Directory = { ...emptyDirectory, tree };
  return { ...directory, tree: applyChanges(directory, after, await changedPaths(call, directory, after)) };
}
