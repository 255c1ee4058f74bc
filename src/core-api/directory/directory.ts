import path from "node:path/posix";
import { emptyDirectory, rootedTree, edited, scratch } from "../values/rooted.ts";
import { directoryChangeResolvers, directoryChangeSdl } from "./changes.ts";
import { copyDirectory, copyFile, type CopyOptions } from "../tree/copy.ts";
import { directoryReadResolvers, directoryReadSdl } from "./read.ts";
import { ApiError } from "../values/errors.ts";
import { chowned } from "../tree/chown.ts";
import { resolveOwner } from "../tree/owner.ts";
import { namesFolder, pathBelow } from "../values/paths.ts";
import { isUnknown, knownAt } from "../tree/known.ts";
import { notFound, withTree } from "../tree/read.ts";
import { id, load, loadAll, typeModule } from "../values/resolver.ts";
import { diffTree } from "../values/diff.ts";
import { fileOfDirectory } from "../file/file.ts";
import { withoutPath } from "../tree/remove.ts";
import type { Call } from "../request/call.ts";
import { directoryTerminalResolvers, directoryTerminalSdl } from "../terminal/fields.ts";
import { writeEdit, writtenOver } from "../tree/write.ts";
import { type Directory, type File, type Tree } from "../values/values.ts";

const sdl = /* GraphQL */ `
  "A directory."
  type Directory implements Node & Syncer & Exportable {
    id: ID!
    sync: ID! @expectedType(name: "Directory")
    directory(path: String!): Directory!
    file(path: String!): File!
    ${directoryReadSdl}
    withDirectory(
      path: String!
      source: ID! @expectedType(name: "Directory")
      exclude: [String!] = []
      include: [String!] = []
      gitignore: Boolean = false
      owner: String = ""
      permissions: Int
    ): Directory!
    withFile(path: String!, source: ID! @expectedType(name: "File"), permissions: Int, owner: String = ""): Directory!
    withFiles(path: String!, sources: [ID!]! @expectedType(name: "File"), permissions: Int): Directory!
    withNewFile(path: String!, contents: String!, permissions: Int = 420): Directory!
    withNewDirectory(path: String!, permissions: Int = 420): Directory!
    withSymlink(target: String!, linkName: String!): Directory!
    withoutDirectory(path: String!): Directory!
    withoutFile(path: String!): Directory!
    withoutFiles(paths: [String!]!): Directory!
    withTimestamps(timestamp: Int!): Directory!
    withError(err: String!): Directory!
    filter(exclude: [String!] = [], include: [String!] = [], gitignore: Boolean = false): Directory!
    diff(other: ID! @expectedType(name: "Directory")): Directory!
    chown(path: String!, owner: String!): Directory!
    ${directoryChangeSdl}
    ${directoryTerminalSdl}
  }
`;

export const directoryModule = typeModule<Directory>("Directory", sdl, {
  id,
  sync: async (directory, _args: object, call) => {
    await withTree(call, directory.tree, (reader) => reader.list(directory.path));
    return call.session.ids.idOf(directory);
  },
  directory: (directory, args: { path: string }) => ({ ...directory, path: pathBelow(directory.path, args.path) }),
  file: (directory, args: { path: string }, call) => {
    const target = pathBelow(directory.path, args.path);
    const known = knownAt(call.session.hostTrees, directory.tree, target);
    // Report here what the recipe alone shows, as on a Dagger engine. Nothing is evaluated to find out more.
    if (known === undefined) throw notFound("stat", args.path);
    if (!isUnknown(known) && known.kind === "folder")
      throw new ApiError(`path ${args.path} is a directory, not a file`);
    return fileOfDirectory({ type: "File", tree: directory.tree, path: target });
  },
  ...directoryReadResolvers,
  ...directoryChangeResolvers,
  ...directoryTerminalResolvers,

  withDirectory: async (directory, args: CopyOptions & { path: string; source: string }, call) => {
    const source = load<Directory>(call, args.source, "Directory");
    const owner = await resolveOwner(call, directory.tree, args.owner ?? "");
    const copy = await copyDirectory(call, source, { ...args, ownerIds: owner });
    return { ...directory, tree: await copy(directory.tree, pathBelow(directory.path, args.path)) };
  },
  withFile: async (directory, args: CopyOptions & { path: string; source: string }, call) =>
    await putFile(directory, args.path, load<File>(call, args.source, "File"), args, call),
  withFiles: async (directory, args: CopyOptions & { path: string; sources: string[] }, call) => {
    let result = directory;
    for (const source of loadAll<File>(call, args.sources, "File")) {
      result = await putFile(result, path.join(args.path, path.basename(source.path)), source, args, call);
    }
    return result;
  },
  withNewFile: async (directory, args: { path: string; contents: string; permissions: number }, call) => {
    if (path.basename(args.path).length > 255)
      throw new ApiError("File name length exceeds the maximum supported 255 characters");
    const target = pathBelow(directory.path, args.path);
    const write = await writeEdit(call, args.contents, args.permissions);
    return { ...directory, tree: writtenOver(call, directory.tree, write(target)) };
  },
  withNewDirectory: (directory, args: { path: string; permissions: number }) => {
    const name = path.normalize(args.path);
    if (name.startsWith("../")) throw new ApiError(`cannot create directory outside parent: ${name}`);
    return edit(directory, args.path, (tree, inTree) =>
      inTree === "/"
        ? tree
        : edited(tree, { action: "mkdir", path: inTree, mode: args.permissions === 0 ? 0o755 : args.permissions }),
    );
  },
  withSymlink: (directory, args: { target: string; linkName: string }) =>
    edit(directory, args.linkName, (tree, inTree) =>
      edited(tree, { action: "symlink", path: inTree, target: args.target }),
    ),
  withoutDirectory: (directory, args: { path: string }, call) => without(call, directory, [args.path]),
  withoutFile: (directory, args: { path: string }, call) => without(call, directory, [args.path]),
  withoutFiles: (directory, args: { paths: string[] }, call) => without(call, directory, args.paths),
  withTimestamps: (directory, { timestamp }: { timestamp: number }) => ({
    ...directory,
    tree: edited(directory.tree, {
      action: "copy-directory",
      source: directory.tree,
      sourcePath: directory.path,
      path: directory.path,
      include: [],
      exclude: [],
      timestampSec: timestamp,
    }),
  }),
  withError: (directory, { err }: { err: string }) => {
    if (err !== "") throw new ApiError(err);
    return directory;
  },

  filter: async (directory, args: CopyOptions, call) => {
    const copy = await copyDirectory(call, directory, args);
    return { ...emptyDirectory, tree: await copy(scratch, "/") };
  },
  diff: (directory, args: { other: string }, call) => {
    const other = load<Directory>(call, args.other, "Directory");
    return { ...emptyDirectory, tree: diffTree(rootedTree(directory), rootedTree(other)) };
  },
  chown: async (directory, args: { path: string; owner: string }, call) => {
    const owner = await resolveOwner(call, directory.tree, args.owner);
    if (owner === undefined) return directory;
    const target = pathBelow(directory.path, args.path);
    const stat = await withTree(call, directory.tree, (reader) => reader.stat(target));
    if (stat === undefined) throw notFound("chown", args.path);
    return await chowned(call, directory, target, stat, owner);
  },
});

function edit(directory: Directory, name: string, change: (tree: Tree, inTree: string) => Tree): Directory {
  return { ...directory, tree: change(directory.tree, pathBelow(directory.path, name)) };
}

async function without(call: Call, directory: Directory, names: readonly string[]): Promise<Directory> {
  let { tree } = directory;
  for (const name of names) tree = await withoutPath(call, tree, pathBelow(directory.path, name));
  return { ...directory, tree };
}

async function putFile(
  directory: Directory,
  name: string,
  source: File,
  options: CopyOptions,
  call: Call,
): Promise<Directory> {
  const owner = await resolveOwner(call, directory.tree, options.owner ?? "");
  const target = namesFolder(name) ? path.join(name, path.basename(source.path)) : name;
  return {
    ...directory,
    tree: copyFile(call, source, { ...options, ownerIds: owner })(directory.tree, pathBelow(directory.path, target)),
  };
}
