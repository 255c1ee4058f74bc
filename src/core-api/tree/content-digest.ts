import { createHash, type Hash } from "node:crypto";
import path from "node:path/posix";
import { kindOf, notFound, permissionsOf, withTree, type TreeReader } from "./read.ts";
import type { RefStat } from "../../buildkit/types.ts";
import type { Call } from "../request/call.ts";
import type { Directory, File } from "../values/values.ts";

/**
 * Returns a directory's digest as BuildKit computes it for its cache, and a Dagger engine for `digest`: of each entry the
 * name, type, permissions, owner, and content or link target. Times are left out, so the same content has the same digest
 * whenever and however it was created.
 */
export async function directoryDigest(call: Call, directory: Directory): Promise<string> {
  return await withTree(call, directory.tree, async (reader) => {
    const stat = await reader.stat(directory.path);
    if (stat === undefined || kindOf(stat) !== "DIRECTORY") await reader.list(directory.path);
    if (stat === undefined) throw notFound("stat", directory.path);
    return await folderDigest(reader, directory.path, stat);
  });
}

/**
 * Returns a file's digest. It covers content, permissions and owner or, with `excludeMetadata`, is the SHA-256 of the
 * content's SHA-256. Both are what a Dagger engine returns.
 */
export async function fileDigest(call: Call, file: File, excludeMetadata: boolean): Promise<string> {
  return await withTree(call, file.tree, async (reader) => {
    if (excludeMetadata) {
      const content = (await withContent(createHash("sha256"), reader, file.path)).digest();
      return digestText(createHash("sha256").update(content));
    }
    const stat = await reader.stat(file.path);
    if (stat === undefined) throw notFound("stat", file.path);
    return await entryDigest(reader, file.path, stat);
  });
}

/** The folder's own header stands before its entries, under an empty name. */
async function folderDigest(reader: TreeReader, folder: string, stat: RefStat): Promise<string> {
  const hash = createHash("sha256").update(`\0${digestText(headerHash(stat))}`);
  for (const entry of await reader.list(folder)) {
    const name = path.basename(entry.path);
    hash.update(`\0${name}${await entryDigest(reader, path.join(folder, name), entry)}`);
  }
  return digestText(hash);
}

async function entryDigest(reader: TreeReader, name: string, stat: RefStat): Promise<string> {
  const kind = kindOf(stat);
  if (kind === "DIRECTORY") return await folderDigest(reader, name, stat);
  const hash = headerHash(stat);
  return digestText(kind === "REGULAR" && stat.sizeBytes > 0 ? await withContent(hash, reader, name) : hash);
}

/** The header of a tar archive, without name and time, as BuildKit writes it before a file's content. */
function headerHash(stat: RefStat): Hash {
  const kind = kindOf(stat);
  const mode = kind === "SYMLINK" ? 0o777 : permissionsOf(stat);
  const size = kind === "REGULAR" ? stat.sizeBytes : 0;
  const link = kind === "SYMLINK" ? stat.linkname : "";
  const type = { REGULAR: "0", DIRECTORY: "5", SYMLINK: "2", UNKNOWN: "6" }[kind];
  return createHash("sha256").update(
    `namemode${mode}uid${stat.uid}gid${stat.gid}size${size}typeflag${type}linkname${link}unamegnamedevmajor0devminor0`,
  );
}

async function withContent(hash: Hash, reader: TreeReader, name: string): Promise<Hash> {
  for await (const piece of reader.pieces(name)) hash.update(piece);
  return hash;
}

const digestText = (hash: Hash): string => `sha256:${hash.digest("hex")}`;
