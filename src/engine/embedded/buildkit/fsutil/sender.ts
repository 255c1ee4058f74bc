import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import type { TreeEntry } from "../../../../tree/types.ts";
import type { ServerCall } from "../session/grpc-server.ts";
import type { TreeSource } from "../types.ts";
import { goMode } from "./mode.ts";
import { PacketBuffer } from "./packet-buffer.ts";
import { decodePacket, PacketType } from "./packet.ts";

/** Files up to this size are read in one go, without the cost of a promise per step. */
const SMALL_FILE_BYTES = 64 * 1024;
const CHUNK_BYTES = 64 * 1024;
const PARALLEL_LARGE_FILES = 4;

const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW;

/**
 * Sends a tree: all stats, then the content of the files that BuildKit asks for. What is sent has to be what the
 * listing says, for the tree's digest stands for it: a file that changed since then fails the whole sync.
 */
export async function sendTree(call: ServerCall, tree: TreeSource): Promise<void> {
  const sender = new Sender(call, tree);
  try {
    await Promise.race([Promise.all([sender.sendStats(), sender.answerRequests()]), sender.failed]);
  } catch (error) {
    await sender.sendError(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

class Sender {
  readonly #call: ServerCall;
  readonly #tree: TreeSource;
  #packets = new PacketBuffer();
  #largeFiles = new Set<Promise<void>>();
  /** Rejects when a file that is read in the background fails. */
  readonly failed: Promise<never>;
  #fail: (reason: unknown) => void = () => {};

  constructor(call: ServerCall, tree: TreeSource) {
    this.#call = call;
    this.#tree = tree;
    this.failed = new Promise((_resolve, reject) => (this.#fail = reject));
    this.failed.catch(() => {});
  }

  async sendStats(): Promise<void> {
    for (const entry of this.#tree.entries) {
      // Owners stay behind, as with `docker build`: a tree belongs to root in the container, whoever checked it out.
      this.#packets.stat({
        path: entry.path,
        mode: goMode(entry.type, entry.mode),
        sizeBytes: entry.type === "file" ? entry.sizeBytes : 0,
        modTimeNs: entry.mtimeNs,
        linkname: entry.linkTarget ?? "",
      });
      if (this.#packets.full) await this.#flush();
    }
    this.#packets.lastStat();
    await this.#flush();
  }

  async answerRequests(): Promise<void> {
    for await (const message of this.#call.messages()) {
      const packet = decodePacket(message);
      if (packet.type === PacketType.error) throw new Error(`the daemon gave up the sync: ${packet.data.toString("utf8")}`);
      if (packet.type === PacketType.finish) {
        this.#packets.finish();
        return this.#flush();
      }
      if (packet.type === PacketType.request) await this.#sendFile(packet.id);
    }
    throw new Error("the daemon left the sync before its end");
  }

  async sendError(message: string): Promise<void> {
    if (this.#call.signal.aborted) return;
    this.#packets.error(message);
    await this.#flush().catch(() => {});
  }

  async #sendFile(id: number): Promise<void> {
    const entry = this.#tree.entries[id];
    if (entry?.type !== "file") throw new Error(`the daemon asked for the content of number ${id}, which is not a file`);
    if (entry.sizeBytes <= SMALL_FILE_BYTES) {
      await this.#writing;
      this.#readSmall(id, entry);
      // Whole requests arrive in one chunk: what they ask for goes out together once the last one is read.
      if (this.#packets.full) await this.#flush();
      else this.#flushSoon();
      return;
    }
    while (this.#largeFiles.size >= PARALLEL_LARGE_FILES) await Promise.race(this.#largeFiles);
    const sending = this.#sendLarge(id, entry)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#largeFiles.delete(sending));
    this.#largeFiles.add(sending);
  }

  #readSmall(id: number, entry: TreeEntry): void {
    const file = this.#opened(entry, () => openSync(path.join(this.#tree.root, entry.path), OPEN_FLAGS));
    try {
      checkUnchanged(entry, fstatSync(file, { bigint: true }));
      if (entry.sizeBytes > 0) {
        const complete = this.#packets.fillData(id, entry.sizeBytes, (target) => readFully(file, target));
        if (!complete) throw changed(entry);
      }
      this.#packets.endOfData(id);
    } finally {
      closeSync(file);
    }
  }

  async #sendLarge(id: number, entry: TreeEntry): Promise<void> {
    let file: FileHandle;
    try {
      file = await open(path.join(this.#tree.root, entry.path), OPEN_FLAGS);
    } catch (error) {
      throw unreadable(entry, error);
    }
    try {
      checkUnchanged(entry, await file.stat({ bigint: true }));
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      for (let offset = 0; offset < entry.sizeBytes; ) {
        const { bytesRead } = await file.read(chunk, 0, Math.min(chunk.length, entry.sizeBytes - offset), offset);
        if (bytesRead === 0) throw changed(entry);
        this.#packets.data(id, chunk.subarray(0, bytesRead));
        offset += bytesRead;
        await this.#flush();
      }
      checkUnchanged(entry, await file.stat({ bigint: true }));
      this.#packets.endOfData(id);
      await this.#flush();
    } finally {
      await file.close();
    }
  }

  #opened(entry: TreeEntry, openFile: () => number): number {
    try {
      return openFile();
    } catch (error) {
      throw unreadable(entry, error);
    }
  }

  /** Done when the last write in the background has found room: reading goes on no faster than the daemon takes it. */
  #writing: Promise<void> = Promise.resolve();
  #flushScheduled = false;

  #flushSoon(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#writing = this.#flush().catch((error: unknown) => this.#fail(error));
    });
  }

  async #flush(): Promise<void> {
    if (!this.#packets.empty) await this.#call.write(this.#packets.take());
  }
}

function readFully(file: number, target: Buffer): boolean {
  for (let offset = 0; offset < target.length; ) {
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
  if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ELOOP" || error.code === "ENOTDIR")) {
    return changed(entry);
  }
  return new Error(`${entry.path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}
