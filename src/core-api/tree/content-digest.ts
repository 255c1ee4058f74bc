import { createHash } from "node:crypto";
import { kindOf, notFound, withTree, type TreeReader } from "./read.ts";
import type { RefStat } from "../../buildkit/types.ts";
import type { Call } from "../request/call.ts";
import type { Directory, File } from "../values/values.ts";
import path from "node:path/posix";

/**
 * Returns the SHA-256 of a directory's content: each path with its type, permissions, owner, and content or link
 * target. Times are left out, so the same content has the same digest whenever and however it was created.
 */
export async function directoryDigest(call: Call, directory: Directory): Promise<string> {
  return await withTree(call, directory.tree, async (reader) => {
    const hash = createHash("sha256");
    for await (const entry of reader.walk(directory.path)) {
      hash.update(`${entry.relative}\0${await entryKey(reader, path.join(directory.path, entry.relative), entry)}\n`);
    }
    return `sha256:${hash.digest("hex")}`;
  });
}

/**
 * Returns a file's digest. It covers content, permissions and owner or, with `excludeMetadata`, is the SHA-256 of the
 * content's SHA-256, which is what Dagger returns.
 */
export async function fileDigest(call: Call, file: File, excludeMetadata: boolean): Promise<string> {
  return await withTree(call, file.tree, async (reader) => {
    if (excludeMetadata) {
      const content = Buffer.from(await contentHash(reader, file.path), "hex");
      return `sha256:${createHash("sha256").update(content).digest("hex")}`;
    }
    const stat = await reader.stat(file.path);
    if (stat === undefined) throw notFound("stat", file.path);
    return `sha256:${createHash("sha256")
      .update(await entryKey(reader, file.path, stat))
      .digest("hex")}`;
  });
}

async function entryKey(reader: TreeReader, name: string, stat: RefStat): Promise<string> {
  const kind = kindOf(stat);
  const attributes = `${kind} ${(stat.mode % 2 ** 26).toString(8)} ${stat.uid}:${stat.gid}`;
  if (kind === "SYMLINK") return `SYMLINK ${stat.linkname}`;
  return kind === "REGULAR" ? `${attributes} ${await contentHash(reader, name)}` : attributes;
}

async function contentHash(reader: TreeReader, name: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of reader.pieces(name)) hash.update(piece);
  return hash.digest("hex");
}
