import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path/posix";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { ApiError } from "../values/errors.ts";
import { readLayout } from "./layout.ts";
import { TarFile, UnreadableCompression } from "./tar.ts";
import { escapePattern } from "../tree/remove.ts";
import type { Edit } from "../values/values.ts";

/** Limit for manifests and configurations; layers are streamed. */
const maxJsonBytes = 16 * 1024 * 1024;

/** One image of an archive that `docker save`, skopeo or BuildKit created. */
export interface ArchivedImage {
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: readonly ArchivedLayer[];
}

export interface ArchivedLayer {
  /**
   * Writes the layer to a file exactly as it is in the archive. Resolves to the names in it, or to undefined when this
   * machine cannot read its compression. Throws an `ApiError` when the layer is missing or damaged.
   */
  extract(file: string): Promise<string[] | undefined>;
}

/** A whiteout of a layer: what it removes, and the path of the marker itself. */
export interface Whiteout {
  readonly removes: Extract<Edit, { action: "remove" }>;
  readonly mark: string;
}

/**
 * Opens an OCI or Docker archive. Nothing is unpacked under names from the archive: single files are streamed out of
 * it, and BuildKit gets the layers as they are. Throws an `ApiError` when the archive or the wanted image in it is
 * unusable.
 */
export async function openImageArchive(
  archive: string,
  wanted: { tag: string; platform: string },
): Promise<ArchivedImage> {
  const tar = await TarFile.open(archive).catch((cause: unknown) => noArchive(archive, cause));
  const { config, layers } = await readLayout(tar.names, wanted, (name, digest) => json(tar, name, digest));
  return { config, layers: layers.map(({ name, digest }) => layer(tar, name, digest)) };
}

/** Says why an archive cannot be read. What is wrong with a tar is told in the words of a Dagger engine's reader. */
async function noArchive(file: string, cause: unknown): Promise<never> {
  if (cause instanceof UnreadableCompression)
    throw new ApiError(`the image archive is compressed with ${cause.message}`, {}, cause);
  const { code, message } = cause as NodeJS.ErrnoException;
  // The system's errors, such as EACCES, say nothing about what is in the file.
  if (code !== undefined && /^E[A-Z]+$/.test(code))
    throw new ApiError(`the image archive cannot be read: ${message}`, {}, cause);
  const { size } = await stat(file);
  const isCut = size < tarBlockBytes || /unexpected end/i.test(message);
  const isTar = /invalid tar header/i.test(message);
  const why = isCut ? "unexpected EOF" : isTar ? "invalid tar header" : message;
  throw new ApiError(`the file is no image archive: ${why}`, {}, cause);
}

const tarBlockBytes = 512;

function layer(tar: TarFile, name: string, digest?: string): ArchivedLayer {
  return {
    extract: async (file) => {
      if (tar.sizeOf(name) === undefined) throw new ApiError(`the image archive lacks ${JSON.stringify(name)}`);
      await pipeline(await tar.read(name), createWriteStream(file));
      if (digest !== undefined && `sha256:${await sha256(file)}` !== digest)
        throw new ApiError(`the image archive's layer ${digest} is damaged`);
      return await namesIn(file);
    },
  };
}

/**
 * Returns the names in a layer, or undefined when this machine cannot read its compression. BuildKit, which unpacks the
 * layer, can.
 */
async function namesIn(file: string): Promise<string[] | undefined> {
  try {
    return [...(await TarFile.open(file)).names];
  } catch (cause) {
    return cause instanceof UnreadableCompression ? undefined : await noArchive(file, cause);
  }
}

/** Parses an entry's name as a whiteout: `a/.wh.b` removes `a/b`, and `a/.wh..wh..opq` removes everything in `a`. */
export function whiteout(entry: string): Whiteout[] {
  const mark = path.join("/", entry);
  const name = path.basename(mark);
  if (!name.startsWith(".wh.")) return [];
  const folder = path.dirname(mark);
  if (name === ".wh..wh..opq")
    return [{ removes: { action: "remove", path: path.join(escapePattern(folder), "*"), pattern: true }, mark }];
  return [{ removes: { action: "remove", path: path.join(folder, name.slice(".wh.".length)) }, mark }];
}

async function json(tar: TarFile, name: string, digest?: string): Promise<Record<string, unknown>> {
  const sizeBytes = tar.sizeOf(name);
  if (sizeBytes === undefined) throw new ApiError(`the image archive lacks ${JSON.stringify(name)}`);
  if (sizeBytes > maxJsonBytes) throw new ApiError(`${JSON.stringify(name)} in the image archive is too large`);
  const bytes = await buffer(await tar.read(name));
  if (digest !== undefined && digest !== `sha256:${createHash("sha256").update(bytes).digest("hex")}`)
    throw new ApiError(`the image archive's ${digest} is damaged`);
  try {
    const value = JSON.parse(bytes.toString("utf8")) as unknown;
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Reported below.
  }
  throw new ApiError(`${JSON.stringify(name)} in the image archive is not the JSON that it should be`);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
