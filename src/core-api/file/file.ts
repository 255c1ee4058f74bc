import path from "node:path/posix";
import { fileDigest } from "../tree/content-digest.ts";
import { ApiError } from "../values/errors.ts";
import { exportFile } from "../tree/export-directory.ts";
import { resolveOwner } from "../tree/owner.ts";
import { kindOf, maxReadBytes, notFound, withTree, type TreeReader } from "../tree/read.ts";
import { linesOf, replaceText, type Replacement } from "./text-edits.ts";
import { id, typeModule } from "../values/resolver.ts";
import { searchArgumentsSdl, searchFile, type SearchArguments } from "../search/search.ts";
import { requireThere, statIn } from "../tree/stat.ts";
import type { Call } from "../request/call.ts";
import { type Edit, type File, type Owner } from "../values/values.ts";
import { edited, scratch } from "../values/rooted.ts";

const sdl = /* GraphQL */ `
  "A file."
  type File implements Node & Syncer & Exportable {
    id: ID!
    sync: ID! @expectedType(name: "File")
    name: String!
    size: Int!
    stat: Stat
    contents(offsetLines: Int, limitLines: Int): String!
    digest(excludeMetadata: Boolean = false): String!
    search(${searchArgumentsSdl} paths: [String!] = [], globs: [String!] = []): [SearchResult!]!
    export(path: String!, allowParentDirPath: Boolean = false): String!
    withName(name: String!): File!
    withTimestamps(timestamp: Int!): File!
    withReplaced(search: String!, replacement: String!, all: Boolean = false, firstFrom: Int): File!
    chown(owner: String!): File!
  }
`;

export const fileModule = typeModule<File>("File", sdl, {
  id,
  sync: async (file, _args: object, call) => {
    await withRegularFile(call, file, async () => undefined);
    return call.session.ids.idOf(file);
  },
  name: async (file, _args: object, call) => {
    await requireThere(call, file.tree, file.path, "file");
    return path.basename(file.path);
  },
  size: (file, _args: object, call) => withRegularFile(call, file, async (_reader, sizeBytes) => sizeBytes),
  stat: (file, _args: object, call) => statIn(call, file.tree, file.path, path.basename(file.path), true),
  contents: async (file, args: { offsetLines?: number | null; limitLines?: number | null }, call) => {
    const text = await readText(call, file);
    const { offsetLines, limitLines } = args;
    if (limitLines === 0) return "";
    if ((offsetLines ?? undefined) === undefined && (limitLines ?? undefined) === undefined) return text;
    return linesOf(text, offsetLines ?? 0, limitLines ?? undefined);
  },
  digest: (file, args: { excludeMetadata: boolean }, call) => fileDigest(call, file, args.excludeMetadata),
  search: (file, args: SearchArguments, call) => searchFile(call, file.tree, file.path, path.basename(file.path), args),
  export: (file, args: { path: string; allowParentDirPath: boolean }, call) =>
    exportFile(call, file, args.path, args.allowParentDirPath),
  withName: (file, { name }: { name: string }) => {
    if (name.includes("/")) throw new ApiError(`file name ${JSON.stringify(name)} must not contain a directory`);
    return copied(file, {}, name);
  },
  withTimestamps: (file, { timestamp }: { timestamp: number }) => copied(file, { timestampSec: timestamp }),
  withReplaced: async (file, args: Replacement, call) => {
    const text = await readText(call, file);
    const before = await withTree(call, file.tree, (reader) => reader.stat(file.path));
    return fileOf(
      path.basename(file.path),
      replaceText(text, args),
      (before?.mode ?? 0o644) & 0o777,
      before && { uid: before.uid, gid: before.gid },
    );
  },
  chown: async (file, args: { owner: string }, call) => {
    const owner = await resolveOwner(call, file.tree, args.owner);
    return owner === undefined ? file : copied(file, { owner, dropSetuid: true });
  },
});

/** Returns a file with the given content in a tree of its own. */
export function fileOf(name: string, contents: string, mode: number, owner?: Owner): File {
  const write: Edit = { action: "write", path: `/${name}`, contents, mode, ...(owner === undefined ? {} : { owner }) };
  return { type: "File", tree: edited(scratch, write), path: `/${name}` };
}

/** Reads a file as UTF-8 text. Throws an `ApiError` when it is missing, a directory, or larger than `maxReadBytes`. */
export async function readText(call: Call, file: File): Promise<string> {
  return await withRegularFile(call, file, async (reader, sizeBytes) => {
    if (sizeBytes > maxReadBytes) throw new ApiError(`file size ${sizeBytes} exceeds limit ${maxReadBytes}`);
    return (await reader.read(file.path)).toString("utf8");
  });
}

const ofDirectories = new WeakSet<File>();

/**
 * Marks a file as taken from a directory. If it turns out to be missing, the error blames `Directory.file`: on a Dagger
 * engine, that field itself finds out.
 */
export function fileOfDirectory(file: File): File {
  ofDirectories.add(file);
  return file;
}

function blaming(file: File, error: ApiError): ApiError {
  return ofDirectories.has(file) ? Object.assign(error, { blamed: "file" }) : error;
}

async function withRegularFile<T>(
  call: Call,
  file: File,
  use: (reader: TreeReader, sizeBytes: number) => Promise<T>,
): Promise<T> {
  return await withTree(call, file.tree, async (reader) => {
    const stat = await reader.stat(file.path);
    if (stat === undefined) throw blaming(file, notFound("stat", file.path));
    if (kindOf(stat) === "DIRECTORY") throw blaming(file, new ApiError(`path ${file.path} is a directory, not a file`));
    return await use(reader, stat.sizeBytes);
  });
}

type FileCopy = Extract<Edit, { action: "copy-file" }>;

function copied(
  file: File,
  attributes: Pick<FileCopy, "owner" | "dropSetuid" | "timestampSec">,
  name = path.basename(file.path),
): File {
  const edit: Edit = { action: "copy-file", source: file.tree, sourcePath: file.path, path: `/${name}`, ...attributes };
  return { type: "File", tree: edited(scratch, edit), path: `/${name}` };
}
