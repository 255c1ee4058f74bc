/** Archives of tar, read in place: nothing of one is ever unpacked by its own names. */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline as joinStreams, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import { extract } from "tar-stream";

/** Where a file's content is in the archive, uncompressed, in bytes. */
interface Member {
  offset: number;
  size: number;
}

/** The names of an archive are held in memory; more of them than this are made to fill it. */
const maxNamesBytes = 256 * 1024 * 1024;

/** An archive's compression is one that this machine cannot read. */
export class UnreadableCompression extends Error {}

export class TarFile {
  private readonly file: string;
  private readonly members: ReadonlyMap<string, Member>;

  private constructor(file: string, members: ReadonlyMap<string, Member>) {
    this.file = file;
    this.members = members;
  }

  /** Reads the whole archive once. Throws what is wrong with it, and `UnreadableCompression`. */
  static async open(file: string): Promise<TarFile> {
    const members = new Map<string, Member>();
    let namesBytes = 0;
    const entries = extract();
    entries.on("entry", (header, content, next) => {
      // Its types leave the place out.
      const { name, type, size, byteOffset } = header as typeof header & { byteOffset: number };
      namesBytes += name.length;
      const isFile = type === "file" || type === "contiguous-file";
      members.set(name, { offset: byteOffset, size: isFile ? size : 0 });
      // The archive's own error, which ends the reading as a whole.
      content.on("error", () => undefined);
      content.once("end", () => next(namesBytes > maxNamesBytes ? new Error("it has too many names") : undefined));
      content.resume();
    });
    await pipeline(await contentOf(file), entries);
    return new TarFile(file, members);
  }

  /** As they are in the archive. */
  get names(): ReadonlySet<string> {
    return new Set(this.members.keys());
  }

  /** Size of a file in bytes; undefined where there is none of that name. */
  sizeOf(name: string): number | undefined {
    return this.members.get(name)?.size;
  }

  /** The content of a file that is there. */
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

/** What is in the file once it is decompressed. */
async function contentOf(file: string): Promise<Readable> {
  const compression = await compressionOf(file);
  const bytes = createReadStream(file);
  if (compression === undefined) return bytes;
  // Node has Zstandard from 22.15 on.
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => zlib.Gunzip };
  if (compression === "zstd" && createZstdDecompress === undefined) {
    bytes.destroy();
    throw new UnreadableCompression("Zstandard");
  }
  const decompressed = compression === "gzip" ? zlib.createGunzip() : createZstdDecompress!();
  // Whoever reads it meets its error; until then somebody has to hear of it.
  joinStreams(bytes, decompressed, () => undefined);
  return decompressed;
}

/** Some bytes from the middle of a stream; what follows them is not read. */
async function* part(bytes: Readable, offset: number, size: number): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    const wanted = chunk.subarray(Math.max(0, offset - at), Math.max(0, offset + size - at));
    if (wanted.length > 0) yield wanted;
    at += chunk.length;
    if (at >= offset + size) return;
  }
}
