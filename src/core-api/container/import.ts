import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { ImageConfig } from "../../buildkit/types.ts";
import { emptyContainer } from "./from.ts";
import { ApiError } from "../values/errors.ts";
import { exportFile } from "../tree/export-directory.ts";
import { recipeDigest } from "../values/ids.ts";
import { emptyConfig, imagePorts, mergeImageConfig } from "../image/config.ts";
import { openImageArchive, whiteout, type ArchivedImage } from "../image/archive.ts";
import { normalizePlatform } from "../values/platform.ts";
import { withTree } from "../tree/read.ts";
import { load, type Resolver } from "../values/resolver.ts";
import type { Call } from "../request/call.ts";
import { type Container, type Edit, type File, type Tree } from "../values/values.ts";
import { edited, scratch } from "../values/rooted.ts";

export const containerImportSdl = /* GraphQL */ `
    import(source: ID! @expectedType(name: "File"), tag: String = ""): Container!
`;

/** `Container.import`: loads an image archive as a container. BuildKit unpacks its layers on top of each other. */
export const containerImportResolvers: Record<string, Resolver<Container>> = {
  import: async (container, { source, tag }: { source: string; tag: string }, call) => {
    const file = load<File>(call, source, "File");
    const imported = await call.session.once(
      `import ${recipeDigest([file, tag, container.platform])}`,
      call.signal,
      () => importImage(call, file, { tag, platform: container.platform }),
    );
    return { ...imported, registryAuth: container.registryAuth };
  },
};

async function importImage(call: Call, file: File, wanted: { tag: string; platform: string }): Promise<Container> {
  const folder = path.join(await call.session.temporaryFolder(), randomUUID());
  await mkdir(folder);
  const archive = await exportFile(call, file, path.join(folder, "archive.tar"), false);
  const image = await openImageArchive(archive, wanted);
  const config = image.config as ImageConfig;
  const platform = normalizePlatform(
    `${config.os}/${config.architecture}${config.variant ? `/${config.variant}` : ""}`,
  );
  return {
    ...emptyContainer(platform),
    rootfs: await unpacked(call, image, folder),
    config: mergeImageConfig(emptyConfig, config),
    ports: imagePorts([], config),
  };
}

async function unpacked(call: Call, image: ArchivedImage, folder: string): Promise<Tree> {
  let tree = scratch;
  for (const [index, layer] of image.layers.entries()) {
    const file = path.join(folder, `layer-${index}.tar`);
    const names = await layer.extract(file);
    const { tree: source, path: sourcePath } = await call.session.hostTrees.file(file, true);
    const unpack: Edit = { action: "copy-file", source, sourcePath, path: "/", unpack: true };
    const whiteouts = (names ?? (await namesIn(call, edited(scratch, unpack)))).flatMap(whiteout);
    // Whiteouts remove files of the layers below, and the markers themselves are not part of the result.
    const edits: Edit[] = [
      ...(index === 0 ? [] : whiteouts.map(({ removes }) => removes)),
      unpack,
      ...whiteouts.map(({ mark }): Edit => ({ action: "remove", path: mark })),
    ];
    tree = edits.reduce(edited, tree);
  }
  if (image.layers.length === 0 && image.config["os"] === undefined) throw new ApiError("the archive holds no image");
  return tree;
}

/** Returns the names of the files that BuildKit unpacked. */
async function namesIn(call: Call, tree: Tree): Promise<string[]> {
  return await withTree(call, tree, async (reader) => {
    const names: string[] = [];
    for await (const { relative } of reader.walk("/")) names.push(relative);
    return names;
  });
}
