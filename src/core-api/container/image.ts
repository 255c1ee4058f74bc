import { createHash, randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { ExportRequest, ExportSink, ImageConfig } from "../../buildkit/types.ts";
import type { Definition } from "../../llb/types.ts";
import { definition, opDigest } from "../../llb/index.ts";
import { expandArgument } from "./tree.ts";
import { ApiError, notServed, refusedOffline } from "../values/errors.ts";
import { exportedConfig } from "../image/config.ts";
import { formatImageReference, parseImageReference } from "../image/reference.ts";
import { withTree } from "../tree/read.ts";
import { refuseFolder } from "../tree/export-directory.ts";
import { loadAll, type Resolver } from "../values/resolver.ts";
import type { Call } from "../request/call.ts";
import type { Container, File } from "../values/values.ts";

export const containerImageSdl = /* GraphQL */ `
    asTarball(
      platformVariants: [ID!] = [] @expectedType(name: "Container")
      forcedCompression: ImageLayerCompression
      mediaTypes: ImageMediaTypes = OCIMediaTypes
    ): File!
    export(
      path: String!
      platformVariants: [ID!] = [] @expectedType(name: "Container")
      forcedCompression: ImageLayerCompression
      mediaTypes: ImageMediaTypes = OCIMediaTypes
      expand: Boolean = false
    ): String!
    publish(
      address: String!
      platformVariants: [ID!] = [] @expectedType(name: "Container")
      forcedCompression: ImageLayerCompression
      mediaTypes: ImageMediaTypes = OCIMediaTypes
      registryService: ID @expectedType(name: "Service")
    ): String!
`;

type Compression = "Gzip" | "Zstd" | "EStarGZ" | "Uncompressed";
type MediaTypes = "OCIMediaTypes" | "DockerMediaTypes";

interface ImageArguments {
  platformVariants: string[];
  forcedCompression?: Compression | null;
  mediaTypes: MediaTypes;
}

export const containerImageResolvers: Record<string, Resolver<Container>> = {
  asTarball: async (container, args: ImageArguments, call) => {
    const variants = variantsOf(call, container, args);
    await Promise.all(variants.map(({ rootfs }) => call.session.destinations.prepare(call, rootfs)));
    const content = {
      images: variants.map((variant) => imageOf(call, variant)),
      attributes: imageAttributes(container, args),
    };
    // An exporter creates the tarball, not an operation of LLB, so it is written now and returned as a host file. Each
    // field that is asked of the result calls `asTarball` again, so the file is created once per content.
    return await call.session.once(`tarball ${contentKey(content)}`, call.signal, async () => {
      const folder = path.join(await call.session.temporaryFolder(), randomUUID());
      await mkdir(folder);
      await exportTarball(call, variants, args, { kind: "file", path: path.join(folder, "container.tar") });
      const { tree, path: inTree } = await call.session.hostTrees.file(path.join(folder, "container.tar"), true);
      return { type: "File", tree, path: inTree } satisfies File;
    });
  },
  export: async (container, args: ImageArguments & { path: string; expand: boolean }, call) => {
    const target = call.session.hostTrees.resolve(expandArgument(container, args.path, args.expand));
    await refuseFolder(target);
    const { hostTrees } = call.session;
    hostTrees.makeFolders(path.dirname(target));
    await exportTarball(call, variantsOf(call, container, args), args, {
      kind: "file",
      path: target,
      mode: 0o666 & ~hostTrees.umask,
    });
    return target;
  },
  publish: async (container, args: ImageArguments & { address: string; registryService?: string | null }, call) => {
    if (args.registryService) throw notServed("Container.publish(registryService)");
    const parsed = parseImageReference(args.address);
    if (call.session.options.offline === true && !isLoopback(parsed.host))
      throw refusedOffline(`a push to ${parsed.host}`);
    call.session.passwords.name(parsed.host);
    const name = formatImageReference({ ...parsed, digest: undefined });
    const variants = variantsOf(call, container, args);
    const response = await runExporter(
      call,
      variants,
      "image",
      { name, push: "true", ...imageAttributes(container, args) },
      { kind: "none" },
    );
    return `${name}@${response["containerimage.digest"]}`;
  },
};

const isLoopback = (host: string): boolean => /^(?:localhost|127\.[\d.]+|\[::1\])(?::\d+)?$/.test(host);

/**
 * Returns the containers to put into the image. As on a Dagger engine, an empty container that has variants only
 * carries them and is left out.
 */
function variantsOf(call: Call, container: Container, args: ImageArguments): Container[] {
  const containers = [container, ...loadAll<Container>(call, args.platformVariants, "Container")];
  if (containers.length === 1) return containers;
  const present = containers.filter(({ rootfs }) => rootfs.kind !== "scratch");
  if (present.length === 0) throw new ApiError("all platform variants are empty: an image needs a file system");
  return present;
}

async function exportTarball(call: Call, variants: Container[], args: ImageArguments, sink: ExportSink): Promise<void> {
  // Both types are OCI layouts. BuildKit's `docker` type adds a manifest.json, which any `docker load` understands, but
  // it supports a single platform only.
  const type = variants.length === 1 ? "docker" : "oci";
  await runExporter(call, variants, type, imageAttributes(variants[0]!, args), sink);
}

function imageAttributes(container: Container, args: ImageArguments): Record<string, string> {
  const attributes: Record<string, string> = { "oci-mediatypes": String(args.mediaTypes === "OCIMediaTypes") };
  if (args.forcedCompression) {
    attributes["compression"] = args.forcedCompression.toLowerCase();
    attributes["force-compression"] = "true";
  }
  for (const { name, value } of container.annotations) attributes[`annotation.${name}`] = value;
  return attributes;
}

async function runExporter(
  call: Call,
  variants: Container[],
  type: ExportRequest["type"],
  attributes: Record<string, string>,
  sink: ExportSink,
): Promise<Record<string, string>> {
  const { session } = call;
  const platforms = new Set<string>();
  for (const { platform } of variants) {
    if (platforms.has(platform))
      throw new ApiError(`duplicate platform ${JSON.stringify(platform)}: each variant needs one of its own`);
    platforms.add(platform);
  }
  await together(call, variants, (each, container) => withTree(each, container.rootfs, async () => undefined));
  const results = variants.map((container) => ({
    ...(variants.length > 1 ? { platform: container.platform } : {}),
    ...imageOf(call, container),
  }));
  return await session.export(call, { type, attributes, sink, results });
}

/** Returns the input of an exporter for one image. */
function imageOf({ session }: Call, container: Container): { definition: Definition; config: ImageConfig } {
  return { definition: definition(session.compile(container.rootfs)), config: exportedConfig(container) };
}

/**
 * Returns a digest of images and attributes. An operation's digest covers its inputs, so the last one represents the
 * whole definition.
 */
function contentKey({
  images,
  attributes,
}: {
  images: { definition: Definition; config: ImageConfig }[];
  attributes: object;
}): string {
  const named = images.map(({ definition: { def }, config }) => ({
    config,
    end: def.at(-1) === undefined ? "" : opDigest(def.at(-1)!),
  }));
  return createHash("sha256").update(JSON.stringify({ named, attributes })).digest("hex");
}

/** Runs `work` on all items concurrently. The first failure cancels the others. */
async function together<T>(
  call: Call,
  items: readonly T[],
  work: (call: Call, item: T) => Promise<unknown>,
): Promise<void> {
  const others = new AbortController();
  const each: Call = { ...call, signal: AbortSignal.any([call.signal, others.signal]) };
  try {
    await Promise.all(items.map((item) => work(each, item)));
  } catch (error) {
    others.abort(error);
    throw error;
  }
}
