import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import type { TreeEntry } from "../../tree/types.ts";
import type { ServerCall } from "../session/grpc-server.ts";
import type { TreeSource } from "../types.ts";
import { goMode } from "./mode.ts";
import { PacketSender } from "./packet-sender.ts";
import { decodePacket, PacketType } from "./packet.ts";

/** Files up to this size are read synchronously, without the cost of a promise per step. */
const SMALL_FILE_BYTES = 64 * 1024;
const CHUNK_BYTES = 64 * 1024;
const PARALLEL_LARGE_FILES = 4;

const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;

/**
 * Sends a tree: all stats, then the content of the files that BuildKit requests. The content has to match the listing,
 * which the tree's digest stands for. Throws when a file changed since it was listed.
 */
export async function sendTree(call: ServerCall, tree: TreeSource): Promise<void> {
  const out = new PacketSender(call);
  try {
    await Promise.race([Promise.all([sendStats(out, tree), answerRequests(call, out, tree)]), out.failed]);
  } catch (error) {
    await out.error(error);
    throw error;
  }
}

async function sendStats(out: PacketSender, tree: TreeSource): Promise<void> {
  for (const entry of tree.entries) {
    // Owners are not sent, as with `docker build`: in the container the tree belongs to root, whoever checked it out.
    out.packets.stat({
      path: entry.path,
      mode: goMode(entry.type, entry.mode),
      sizeBytes: entry.type === "file" ? entry.sizeBytes : 0,
      modTimeNs: sentTimeNs(entry),
      linkname: entry.linkTarget ?? "",
    });
    if (out.packets.full) await out.flush();
  }
  out.packets.lastStat();
  await out.flush();
}

/**
 * Returns the time that stands for a file's content: BuildKit keeps its copy of a file whose size and time are those of
 * the last transfer. A file that was replaced, or edited and given its old time again, has another `ctime`; where that
 * is not the time of the edit, it decides what is below a millisecond. Times before 1970 are sent as 1970, as BuildKit
 * has none.
 */
export function sentTimeNs({ type, mtimeNs, ctimeNs, inode }: TreeEntry): bigint {
  if (type !== "file" || mtimeNs === ctimeNs) return mtimeNs;
  const time = mtimeNs > 0n ? mtimeNs : 0n;
  const mixed = BigInt.asUintN(64, (ctimeNs * oddMultiplier + inode) * oddMultiplier);
  return time - (time % millisecond) + ((mixed >> 32n) % millisecond);
}

const millisecond = 1_000_000n;
/** Spreads neighboring numbers over 64 bits. */
const oddMultiplier = 0x9e37_79b9_7f4a_7c15n;

async function answerRequests(call: ServerCall, out: PacketSender, tree: TreeSource): Promise<void> {
  const sending = new Set<Promise<void>>();
  for await (const message of call.messages()) {
    const packet = decodePacket(message);
    if (packet.type === PacketType.error)
      throw new Error(`the daemon gave up the sync: ${packet.data.toString("utf8")}`);
    if (packet.type === PacketType.finish) {
      out.packets.finish();
      return out.flush();
    }
    if (packet.type !== PacketType.request) continue;

    const entry = tree.entries[packet.id];
    if (entry?.type !== "file")
      throw new Error(`the daemon asked for the content of number ${packet.id}, which is not a file`);
    if (entry.sizeBytes <= SMALL_FILE_BYTES) {
      sendSmall(out, tree.root, packet.id, entry);
      await out.added();
    } else {
      while (sending.size >= PARALLEL_LARGE_FILES) await Promise.race(sending);
      const file = sendLarge(out, tree.root, packet.id, entry)
        .catch((error: unknown) => out.fail(error))
        .finally(() => sending.delete(file));
      sending.add(file);
    }
  }
  throw new Error("the daemon left the sync before its end");
}

function sendSmall(out: PacketSender, root: string, id: number, entry: TreeEntry): void {
  let file: number;
  try {
    file = openSync(path.join(root, entry.contentPath ?? entry.path), OPEN_FLAGS);
  } catch (error) {
    throw unreadable(entry, error);
  }
  try {
    checkUnchanged(entry, fstatSync(file, { bigint: true }));
    if (entry.sizeBytes > 0 && !out.packets.fillData(id, entry.sizeBytes, (target) => readFully(file, target)))
      throw changed(entry);
    out.packets.endOfData(id);
  } finally {
    closeSync(file);
  }
}

async function sendLarge(out: PacketSender, root: string, id: number, entry: TreeEntry): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path.join(root, entry.contentPath ?? entry.path), OPEN_FLAGS);
  } catch (error) {
    throw unreadable(entry, error);
  }
  try {
    checkUnchanged(entry, await file.stat({ bigint: true }));
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let offset = 0; offset < entry.sizeBytes;) {
      const { bytesRead } = await file.read(chunk, 0, Math.min(chunk.length, entry.sizeBytes - offset), offset);
      if (bytesRead === 0) throw changed(entry);
      out.packets.data(id, chunk.subarray(0, bytesRead));
      offset += bytesRead;
      await out.flush();
    }
    checkUnchanged(entry, await file.stat({ bigint: true }));
    out.packets.endOfData(id);
    await out.flush();
  } finally {
    await file.close();
  }
}

function readFully(file: number, target: Buffer): boolean {
  for (let offset = 0; offset < target.length;) {
    const bytesRead = readSync(file, target, offset, target.length - offset, offset);
    if (bytesRead === 0) return false;
    offset += bytesRead;
  }
  return true;
}

function checkUnchanged(entry: TreeEntry, now: { size: bigint; mtimeNs: bigint }): void {
  if (Number(now.size) !== entry.sizeBytes || now.mtimeNs !== entry.mtimeNs) throw changed(entry);
}

function changed(entry: TreeEntry): Error {
  return new Error(`${entry.path} changed while it was being read`);
}

function unreadable(entry: TreeEntry, error: unknown): Error {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ELOOP" || code === "ENOTDIR") return changed(entry);
  return new Error(`${entry.path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}
