import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { spawn } from "node:child_process";
import path from "node:path/posix";
import { promisify } from "node:util";
import { ApiError } from "../values/errors.ts";
import { readLayout } from "./layout.ts";
import { escapePattern } from "../tree/remove.ts";
import type { Edit } from "../values/values.ts";

const run = promisify(execFile);
/** Manifests and configurations; layers are streamed. */
const maxJsonBytes = 16 * 1024 * 1024;
const maxListingBytes = 512 * 1024 * 1024;

/** One image of an archive that `docker save`, skopeo or BuildKit made. */
export interface ArchivedImage {
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: readonly ArchivedLayer[];
}

export interface ArchivedLayer {
  /** Writes the layer to a file, as it is in the archive; gives the names in it, unless this machine cannot read its compression. */
  extract(file: string): Promise<string[] | undefined>;
}

/** A mark of a layer: what it removes, and where the mark itself is. */
export interface Whiteout {
  readonly removes: Extract<Edit, { action: "remove" }>;
  readonly mark: string;
}

/**
 * Reads an OCI or Docker archive. Nothing of it is unpacked by its own names: single files are streamed out of it, and the
 * layers go to BuildKit as they are.
 */
export async function openImageArchive(
  archive: string,
  wanted: { tag: string; platform: string },
): Promise<ArchivedImage> {
  const names = new Set(
    (
      await run("tar", ["-tf", archive], { maxBuffer: maxListingBytes }).catch((cause: unknown) =>
        noArchive(archive, cause),
      )
    ).stdout.split("\n"),
  );
  const { config, layers } = await readLayout(names, wanted, (name, digest) => json(archive, name, digest));
  return { config, layers: layers.map(({ name, digest }) => layer(archive, name, digest)) };
}

/** In the words of the reader that a Dagger engine has. */
async function noArchive(file: string, cause: unknown): Promise<never> {
  const { size } = await stat(file);
  throw new ApiError(
    `the file is no image archive: ${size < tarBlockBytes ? "unexpected EOF" : "invalid tar header"}`,
    {},
    cause,
  );
}

const tarBlockBytes = 512;

function layer(archive: string, name: string, digest?: string): ArchivedLayer {
  return {
    extract: async (file) => {
      await stream(archive, name, file);
      if (digest !== undefined && `sha256:${await sha256(file)}` !== digest)
        throw new ApiError(`the image archive's layer ${digest} is damaged`);
      return await namesIn(file);
    },
  };
}

/** tar leaves Zstandard to a program that not every machine has; BuildKit, which unpacks the layer, needs none. */
async function namesIn(file: string): Promise<string[] | undefined> {
  try {
    return (await run("tar", ["-tf", file], { maxBuffer: maxListingBytes })).stdout.split("\n");
  } catch (cause) {
    return (await isZstandard(file)) ? undefined : await noArchive(file, cause);
  }
}

async function isZstandard(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.readUInt32LE(0) === 0xfd_2f_b5_28;
  } finally {
    await handle.close();
  }
}

/** `a/.wh.b` removes `a/b`, `a/.wh..wh..opq` all that is in `a`. */
export function whiteout(entry: string): Whiteout[] {
  const mark = path.join("/", entry);
  const name = path.basename(mark);
  if (!name.startsWith(".wh.")) return [];
  const folder = path.dirname(mark);
  if (name === ".wh..wh..opq")
    return [{ removes: { action: "remove", path: path.join(escapePattern(folder), "*"), pattern: true }, mark }];
  return [{ removes: { action: "remove", path: path.join(folder, name.slice(".wh.".length)) }, mark }];
}

async function json(archive: string, name: string, digest?: string): Promise<Record<string, unknown>> {
  const { stdout } = await run("tar", ["-xOf", archive, "--", name], {
    maxBuffer: maxJsonBytes,
    encoding: "buffer",
  }).catch((cause: unknown) => {
    throw new ApiError(`the image archive lacks ${JSON.stringify(name)}`, {}, cause);
  });
  if (digest !== undefined && digest !== `sha256:${createHash("sha256").update(stdout).digest("hex")}`)
    throw new ApiError(`the image archive's ${digest} is damaged`);
  try {
    const value = JSON.parse(stdout.toString("utf8")) as unknown;
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new ApiError(`${JSON.stringify(name)} in the image archive is not the JSON that it should be`);
}

async function stream(archive: string, name: string, file: string): Promise<void> {
  const tar = spawn("tar", ["-xOf", archive, "--", name], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise<number | null>((resolve, reject) => {
    tar.once("error", reject);
    tar.once("close", resolve);
  });
  await pipeline(tar.stdout, createWriteStream(file));
  if ((await ended) !== 0) throw new ApiError(`the image archive lacks ${JSON.stringify(name)}`);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
