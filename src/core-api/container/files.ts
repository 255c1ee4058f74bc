import path from "node:path/posix";
import { containerPath, editAt, expandArgument, locate, placeOf } from "./tree.ts";
import { copyDirectory, copyFile, putFile as putFileInto, type CopyOptions } from "../tree/copy.ts";
import { existsIn, statIn, type ExistsType } from "../tree/stat.ts";
import { ApiError } from "../values/errors.ts";
import { resolveOwner } from "../tree/owner.ts";
import { absolutePath, namesFolder } from "../values/paths.ts";
import { withoutPath } from "../tree/remove.ts";
import { load, loadAll, type Resolver } from "../values/resolver.ts";
import type { Call } from "../request/call.ts";
import { writeEdit } from "../tree/write.ts";
import { type Container, type Directory, type File } from "../values/values.ts";
import { edited } from "../values/rooted.ts";

export const containerFileSdl = /* GraphQL */ `
    directory(path: String!, expand: Boolean = false): Directory!
    file(path: String!, expand: Boolean = false): File!
    exists(path: String!, expectedType: ExistsType, doNotFollowSymlinks: Boolean = false, expand: Boolean = false): Boolean!
    stat(path: String!, doNotFollowSymlinks: Boolean = false): Stat
    withDirectory(
      path: String!
      source: ID! @expectedType(name: "Directory")
      exclude: [String!] = []
      include: [String!] = []
      gitignore: Boolean = false
      owner: String = ""
      expand: Boolean = false
      permissions: Int
    ): Container!
    withFile(path: String!, source: ID! @expectedType(name: "File"), permissions: Int, owner: String = "", expand: Boolean = false): Container!
    withFiles(path: String!, sources: [ID!]! @expectedType(name: "File"), permissions: Int, owner: String = "", expand: Boolean = false): Container!
    withNewFile(path: String!, contents: String!, permissions: Int = 420, owner: String = "", expand: Boolean = false): Container!
    withSymlink(target: String!, linkName: String!, expand: Boolean = false): Container!
    withoutDirectory(path: String!, expand: Boolean = false): Container!
    withoutFile(path: String!, expand: Boolean = false): Container!
    withoutFiles(paths: [String!]!, expand: Boolean = false): Container!
`;

interface WithFileArguments extends CopyOptions {
  path: string;
  expand: boolean;
}

export const containerFileResolvers: Record<string, Resolver<Container>> = {
  directory: (container, args: { path: string; expand: boolean }) => {
    const { tree, path: inTree } = locate(container, containerPath(container, args.path, args.expand));
    return { type: "Directory", tree, path: inTree } satisfies Directory;
  },
  file: (container, args: { path: string; expand: boolean }) => {
    const { tree, path: inTree } = locate(container, containerPath(container, args.path, args.expand));
    return { type: "File", tree, path: inTree } satisfies File;
  },
  exists: async (
    container,
    args: { path: string; expectedType?: ExistsType; doNotFollowSymlinks: boolean; expand: boolean },
    call,
  ) => {
    const { tree, path: inTree } = locate(container, containerPath(container, args.path, args.expand));
    return await existsIn(call, tree, inTree, args.expectedType, args.doNotFollowSymlinks);
  },
  stat: async (container, args: { path: string; doNotFollowSymlinks: boolean }, call) => {
    const absolute = containerPath(container, args.path, false);
    const { tree, path: inTree } = locate(container, absolute);
    return await statIn(call, tree, inTree, args.path, !args.doNotFollowSymlinks);
  },

  withDirectory: async (container, args: WithFileArguments & { source: string }, call) => {
    const source = load<Directory>(call, args.source, "Directory");
    const owner = await resolveOwner(call, container.rootfs, args.owner ?? "");
    const target = containerPath(container, args.path, args.expand);
    // A Dagger engine accepts `permissions` here and ignores it.
    const copy = await copyDirectory(call, source, { ...args, permissions: null, ownerIds: owner });
    const place = placeOf(container, target, (mount) => mount.source.kind === "file");
    return place.with(await copy(place.tree, place.path));
  },
  withFile: async (container, args: WithFileArguments & { source: string }, call) => {
    const source = load<File>(call, args.source, "File");
    return await putFile(container, args.path, source, args, call);
  },
  withFiles: async (container, args: WithFileArguments & { sources: string[] }, call) => {
    let result = container;
    for (const source of loadAll<File>(call, args.sources, "File")) {
      result = await putFile(result, path.join(args.path, path.basename(source.path)), source, args, call);
    }
    return result;
  },
  withNewFile: async (
    container,
    args: { path: string; contents: string; permissions: number; owner: string; expand: boolean },
    call,
  ) => {
    const owner = await resolveOwner(call, container.rootfs, args.owner);
    const name = path.basename(path.normalize(args.path));
    if (name === "" || name === "." || name === "..")
      throw new ApiError(`failed to create new file ${args.path}: open ${args.path}: is a directory`);
    const write = await writeEdit(call, args.contents, args.permissions, owner);
    return editAt(container, containerPath(container, args.path, args.expand), (tree, inTree) =>
      putFileInto(call, tree, write(inTree)),
    );
  },
  withSymlink: (container, args: { target: string; linkName: string; expand: boolean }) =>
    editAt(container, containerPath(container, args.linkName, args.expand), (tree, inTree) =>
      edited(tree, { action: "symlink", path: inTree, target: args.target }),
    ),
  withoutDirectory: (container, args: { path: string; expand: boolean }, call) =>
    without(call, container, [args.path], args.expand),
  withoutFile: (container, args: { path: string; expand: boolean }, call) =>
    without(call, container, [args.path], args.expand),
  withoutFiles: (container, args: { paths: string[]; expand: boolean }, call) =>
    without(call, container, args.paths, args.expand),
};

async function putFile(
  container: Container,
  name: string,
  source: File,
  args: WithFileArguments,
  call: Call,
): Promise<Container> {
  const owner = await resolveOwner(call, container.rootfs, args.owner ?? "");
  const given = expandArgument(container, name, args.expand);
  let target = absolutePath(container.config.WorkingDir, given);
  // A Dagger engine drops a relative path's trailing slash when it prepends the working directory.
  if (given.startsWith("/") && namesFolder(given)) target = path.join(target, path.basename(source.path));
  return editAt(container, target, copyFile(call, source, { ...args, ownerIds: owner }));
}

async function without(
  call: Call,
  container: Container,
  names: readonly string[],
  expand: boolean,
): Promise<Container> {
  let result = container;
  for (const name of names) {
    const place = placeOf(result, containerPath(result, name, expand));
    const tree = await withoutPath(call, place.tree, place.path);
    result = place.with(tree);
  }
  return result;
}
