import { ApiError } from "../values/errors.ts";
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { definition } from "../../llb/index.ts";
import { notFound, withTree } from "./read.ts";
import { rootedTree } from "../values/rooted.ts";
import type { Call } from "../request/call.ts";
import type { Directory, File } from "../values/values.ts";

/**
 * Writes a directory's content into a host folder: over the existing content or, with `wipe`, replacing it. Returns the
 * folder's absolute path.
 */
export async function exportDirectory(
  call: Call,
  directory: Directory,
  target: string,
  wipe: boolean,
): Promise<string> {
  const { session } = call;
  const folder = session.hostTrees.resolve(target);
  await withTree(call, directory.tree, (reader) => reader.list(directory.path));
  await session.destinations.prepare(call, rootedTree(directory));
  const llb = definition(session.compile(rootedTree(directory)));
  if ((await stat(folder).catch(() => undefined))?.isDirectory() === false)
    throw new ApiError(`export to ${folder}: not a directory`);
  if (wipe && llb === undefined) await rm(folder, { recursive: true, force: true });
  session.hostTrees.makeFolders(folder);
  if (llb === undefined) return folder;
  await session.export(call, {
    type: "local",
    attributes: {},
    sink: { kind: "directory", path: folder, wipe },
    results: [{ definition: llb }],
  });
  return folder;
}

/**
 * Writes a file to the host atomically. A link at the destination is followed, and an existing file keeps its
 * permissions. Returns the destination's path.
 */
export async function exportFile(call: Call, file: File, target: string, allowParentDirPath: boolean): Promise<string> {
  let destination = call.session.hostTrees.resolve(target);
  let there = await stat(destination).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOTDIR") throw new ApiError(`stat ${destination}: not a directory`);
    return undefined;
  });
  if (there?.isDirectory() === true) {
    if (!allowParentDirPath) {
      throw new ApiError(
        `destination ${JSON.stringify(destination)} is a directory; must be a file path unless allowParentDirPath is set`,
      );
    }
    destination = path.join(destination, path.basename(file.path));
    await refuseFolder(destination);
    there = await stat(destination).catch(() => undefined);
  }
  const shown = destination;
  destination = await realpath(destination).catch(() => linkTarget(destination));
  call.session.hostTrees.makeFolders(path.dirname(destination));
  const partial = path.join(path.dirname(destination), `.fastloop-${randomBytes(8).toString("hex")}`);
  await withTree(call, file.tree, async (reader) => {
    const attributes = await reader.stat(file.path);
    if (attributes === undefined) throw notFound("stat", file.path);
    try {
      await pipeline(Readable.from(reader.pieces(file.path)), createWriteStream(partial, { flags: "wx" }), {
        signal: call.signal,
      });
      await chmod(partial, there === undefined ? attributes.mode & 0o777 : there.mode & 0o7777);
      await rename(partial, destination);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  });
  return shown;
}

/** Returns the target of a dangling link, or the name itself if there is no link. */
async function linkTarget(name: string): Promise<string> {
  const text = await readlink(name).catch(() => undefined);
  return text === undefined ? name : path.resolve(path.dirname(name), text);
}

/** Throws an `ApiError` when a folder is at the path, because a file never replaces a folder. */
export async function refuseFolder(target: string): Promise<void> {
  const there = await stat(target).catch(() => undefined);
  if (there?.isDirectory() === true)
    throw new ApiError(`open ${target}: is a directory; name another path for the file, or remove the folder`);
}
