/** Reads which configuration and layers an image archive declares. The archive is untrusted. */
import { ApiError } from "../values/errors.ts";
import { normalizePlatform } from "../values/platform.ts";

/** Reads a JSON file of the archive. With a digest, the content is verified. */
export type ReadJson = (name: string, digest?: string) => Promise<unknown>;

export interface Layout {
  config: Record<string, unknown>;
  /** File names of the layers, from the bottom up. */
  layers: { name: string; digest?: string }[];
}

interface Wanted {
  tag: string;
  platform: string;
}

/** Maximum nesting of image indexes. */
const maxDepth = 4;
const maxLayers = 1000;

/**
 * Finds the image with a tag and platform in an OCI or `docker save` layout. Throws an `ApiError` when there is none.
 */
export async function readLayout(names: ReadonlySet<string>, wanted: Wanted, read: ReadJson): Promise<Layout> {
  if (names.has("index.json")) return await fromOci(wanted, read);
  if (names.has("manifest.json")) return await fromDocker(names, wanted.tag, read);
  throw new ApiError("the file is no image archive: it has neither index.json (OCI) nor manifest.json (Docker)");
}

async function fromOci({ tag, platform }: Wanted, read: ReadJson): Promise<Layout> {
  let manifest = recordOf(await read("index.json"), "index.json");
  for (let depth = 0; manifest["manifests"] !== undefined; depth++) {
    if (depth > maxDepth) throw new ApiError("the image archive's indexes are nested too deep");
    const chosen = choose(recordsOf(manifest["manifests"], "manifests"), platform, depth === 0 ? tag : "");
    const digest = digestOf(chosen);
    manifest = recordOf(await read(blobName(digest), digest), "manifest");
  }
  if (manifest["config"] === undefined) throw new ApiError("the image archive's manifest names no configuration");
  const digest = digestOf(recordOf(manifest["config"], "config"));
  const layers = recordsOf(manifest["layers"] ?? [], "layers").map(digestOf);
  return {
    config: recordOf(await read(blobName(digest), digest), "configuration"),
    layers: limited(layers).map((each) => ({ name: blobName(each), digest: each })),
  };
}

type Json = Record<string, unknown>;

function choose(manifests: readonly Json[], platform: string, tag: string): Json {
  const tagged = tag === "" ? manifests : manifests.filter(({ annotations }) => isTag(annotations, tag));
  if (tagged.length === 0) throw new ApiError(`the image archive has no image with the tag ${JSON.stringify(tag)}`);
  const images = tagged.filter((each) => !isRecord(each["platform"]) || each["platform"]["os"] !== "unknown");
  const fitting =
    images.find((each) => isRecord(each["platform"]) && platformOf(each["platform"]) === platform) ??
    images.find((each) => each["platform"] === undefined);
  if (fitting === undefined) throw new ApiError(`the image archive has no image for ${platform}`);
  return fitting;
}

function isTag(annotations: unknown, tag: string): boolean {
  if (!isRecord(annotations)) return false;
  const name = annotations["io.containerd.image.name"];
  return (
    annotations["org.opencontainers.image.ref.name"] === tag || (typeof name === "string" && name.endsWith(`:${tag}`))
  );
}

/** Returns undefined when the value describes no platform. */
function platformOf({ os, architecture, variant }: Json): string | undefined {
  if (typeof os !== "string" || typeof architecture !== "string") return undefined;
  return normalizePlatform(
    [os, architecture, ...(typeof variant === "string" && variant !== "" ? [variant] : [])].join("/"),
  );
}

async function fromDocker(names: ReadonlySet<string>, tag: string, read: ReadJson): Promise<Layout> {
  const images = recordsOf(await read("manifest.json"), "manifest.json");
  const chosen = tag === "" ? images[0] : images.find(({ RepoTags }) => hasTag(RepoTags, tag));
  if (chosen === undefined)
    throw new ApiError(
      tag === "" ? "the archive holds no image" : `the image archive has no image with the tag ${JSON.stringify(tag)}`,
    );
  const { Config: config, Layers: layers } = chosen;
  if (typeof config !== "string" || !isTexts(layers)) throw damaged("manifest.json");
  for (const name of [config, ...layers])
    if (!names.has(name)) throw new ApiError(`the image archive lacks ${JSON.stringify(name)}`);
  return { config: recordOf(await read(config), config), layers: limited(layers).map((name) => ({ name })) };
}

function hasTag(tags: unknown, tag: string): boolean {
  return isTexts(tags) && tags.some((known) => known === tag || known.endsWith(`:${tag}`));
}

function limited<T>(layers: T[]): T[] {
  if (layers.length > maxLayers) throw new ApiError(`the image archive has more than ${maxLayers} layers`);
  return layers;
}

/**
 * Returns a blob's file name. The argument comes from the archive, so it must be a checked digest that leads nowhere
 * else.
 */
function blobName(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

function digestOf({ digest }: Json): string {
  if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new ApiError(`${JSON.stringify(digest)} in the image archive is no SHA-256 digest`);
  return digest;
}

function recordOf(value: unknown, what: string): Json {
  if (!isRecord(value)) throw damaged(what);
  return value;
}

function recordsOf(value: unknown, what: string): Json[] {
  if (!Array.isArray(value)) throw damaged(what);
  return value.map((each) => recordOf(each, what));
}

const damaged = (what: string): ApiError =>
  new ApiError(`${JSON.stringify(what)} in the image archive is not the JSON that it should be`);
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string");
const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
