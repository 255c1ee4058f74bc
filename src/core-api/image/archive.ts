import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { spawn } from "node:child_process";
import path from "node:path/posix";
import { promisify } from "node:util";
import { ApiError } from "../values/errors.ts";
import { normalizePlatform } from "../values/platform.ts";
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

interface Descriptor {
  digest: string;
  mediaType?: string;
  platform?: { os: string; architecture: string; variant?: string };
  annotations?: Record<string, string>;
}

interface Manifest {
  config?: Descriptor;
  layers?: Descriptor[];
  manifests?: Descriptor[];
}

type DockerManifest = { Config: string; RepoTags: string[] | null; Layers: string[] }[];

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
  if (names.has("index.json")) return await fromOci(archive, wanted);
  if (names.has("manifest.json")) return await fromDocker(archive, names, wanted.tag);
  throw new ApiError("the file is no image archive: it has neither index.json (OCI) nor manifest.json (Docker)");
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

async function fromOci(archive: string, { tag, platform }: { tag: string; platform: string }): Promise<ArchivedImage> {
  let manifest = await json<Manifest>(archive, "index.json");
  for (let depth = 0; manifest.manifests !== undefined; depth++) {
    if (depth > 4) throw new ApiError("the image archive's indexes are nested too deep");
    const chosen = choose(manifest.manifests, platform, depth === 0 ? tag : "");
    manifest = await json<Manifest>(archive, blobName(chosen.digest), chosen.digest);
  }
  if (manifest.config === undefined) throw new ApiError("the image archive's manifest names no configuration");
  const config = await json<Record<string, unknown>>(archive, blobName(manifest.config.digest), manifest.config.digest);
  return { config, layers: (manifest.layers ?? []).map(({ digest }) => layer(archive, blobName(digest), digest)) };
}

function choose(manifests: readonly Descriptor[], platform: string, tag: string): Descriptor {
  const tagged = tag === "" ? manifests : manifests.filter(({ annotations }) => isTag(annotations, tag));
  if (tagged.length === 0) throw new ApiError(`the image archive has no image with the tag ${JSON.stringify(tag)}`);
  const images = tagged.filter((each) => each.platform?.os !== "unknown");
  const fitting =
    images.find((each) => each.platform !== undefined && platformOf(each.platform) === platform) ??
    images.find((each) => each.platform === undefined);
  if (fitting === undefined) throw new ApiError(`the image archive has no image for ${platform}`);
  return fitting;
}

function isTag(annotations: Record<string, string> = {}, tag: string): boolean {
  return (
    annotations["org.opencontainers.image.ref.name"] === tag ||
    (annotations["io.containerd.image.name"] ?? "").endsWith(`:${tag}`)
  );
}

function platformOf({ os, architecture, variant }: NonNullable<Descriptor["platform"]>): string {
  return normalizePlatform([os, architecture, ...(variant ? [variant] : [])].join("/"));
}

async function fromDocker(archive: string, names: ReadonlySet<string>, tag: string): Promise<ArchivedImage> {
  const images = await json<DockerManifest>(archive, "manifest.json");
  const chosen =
    tag === ""
      ? images[0]
      : images.find(({ RepoTags }) => (RepoTags ?? []).some((known) => known === tag || known.endsWith(`:${tag}`)));
  if (chosen === undefined)
    throw new ApiError(
      tag === "" ? "the archive holds no image" : `the image archive has no image with the tag ${JSON.stringify(tag)}`,
    );
  for (const name of [chosen.Config, ...chosen.Layers])
    if (!names.has(name)) throw new ApiError(`the image archive lacks ${JSON.stringify(name)}`);
  return { config: await json(archive, chosen.Config), layers: chosen.Layers.map((name) => layer(archive, name)) };
}

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

function blobName(digest: string): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new ApiError(`${JSON.stringify(digest)} in the image archive is no SHA-256 digest`);
  return `blobs/${digest.replace(":", "/")}`;
}

async function json<T>(archive: string, name: string, digest?: string): Promise<T> {
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
    if (typeof value === "object" && value !== null) return value as T;
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
