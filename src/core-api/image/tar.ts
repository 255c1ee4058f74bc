/** Reads tar archives in place. Nothing is ever unpacked under names from the archive. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline as joinStreams, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import { extract } from "tar-stream";

/** Position of a file's content in the uncompressed archive, in bytes. */
interface Member {
  offset: number;
  size: number;
}

/** All names of an archive are held in memory. An archive with more than this was made to fill it. */
const maxNamesBytes = 256 * 1024 * 1024;

/** Thrown when this machine cannot read an archive's compression. The message names it and what can read it. */
export class UnreadableCompression extends Error {}

export class TarFile {
  private readonly file: string;
  private readonly members: ReadonlyMap<string, Member>;

  private constructor(file: string, members: ReadonlyMap<string, Member>) {
    this.file = file;
    this.members = members;
  }

  /**
   * Reads the whole archive once to index it. Throws an error that says what is wrong with it, or
   * `UnreadableCompression`.
   */
  static async open(file: string): Promise<TarFile> {
    const members = new Map<string, Member>();
    let namesBytes = 0;
    const entries = extract();
    entries.on("entry", (header, content, next) => {
      // The types of tar-stream lack `byteOffset`.
      const { name, type, size, byteOffset } = header as typeof header & { byteOffset: number };
      namesBytes += name.length;
      const isFile = type === "file" || type === "contiguous-file";
      members.set(name, { offset: byteOffset, size: isFile ? size : 0 });
      // This is an error of the archive, which also rejects the pipeline.
      content.on("error", () => undefined);
      content.once("end", () => next(namesBytes > maxNamesBytes ? new Error("it has too many names") : undefined));
      content.resume();
    });
    await pipeline(await contentOf(file), entries);
    return new TarFile(file, members);
  }

  /** Names as they are in the archive. */
  get names(): ReadonlySet<string> {
    return new Set(this.members.keys());
  }

  /** Returns the size of a file in bytes, or undefined when there is no file of this name. */
  sizeOf(name: string): number | undefined {
    return this.members.get(name)?.size;
  }

  /** Streams the content of an existing file. */
  async read(name: string): Promise<Readable> {
    const { offset, size } = this.members.get(name)!;
    if (size === 0) return Readable.from([]);
    if ((await compressionOf(this.file)) === undefined)
      return createReadStream(this.file, { start: offset, end: offset + size - 1 });
    return Readable.from(part(await contentOf(this.file), offset, size));
  }
}

type Compression = "gzip" | "zstd" | undefined;

async function compressionOf(file: string): Promise<Compression> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead === 4 && buffer.readUInt32LE(0) === 0xfd_2f_b5_28) return "zstd";
    return bytesRead === 4 && buffer.readUInt16BE(0) === 0x1f_8b ? "gzip" : undefined;
  } finally {
    await handle.close();
  }
}

/** Streams the file's decompressed content. */
async function contentOf(file: string): Promise<Readable> {
  const compression = await compressionOf(file);
  const bytes = createReadStream(file);
  if (compression === undefined) return bytes;
  // Node has Zstandard since 22.15.
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => zlib.Gunzip };
  if (compression === "zstd" && createZstdDecompress === undefined) {
    bytes.destroy();
    throw new UnreadableCompression(`Zstandard, which Node ${process.versions.node} cannot read (22.15 or later can)`);
  }
  const decompressed = compression === "gzip" ? zlib.createGunzip() : createZstdDecompress!();
  // The reader gets the error from the stream; until one is attached, this handler keeps it from being unhandled.
  joinStreams(bytes, decompressed, () => undefined);
  return decompressed;
}

/** Yields a range from the middle of a stream and stops reading after it. */
async function* part(bytes: Readable, offset: number, size: number): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    const wanted = chunk.subarray(Math.max(0, offset - at), Math.max(0, offset + size - at));
    if (wanted.length > 0) yield wanted;
    at += chunk.length;
    if (at >= offset + size) return;
  }
}
