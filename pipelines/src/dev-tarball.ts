import { ImageLayerCompression } from "@dagger.io/dagger";
import type { Container, File } from "@dagger.io/dagger";
import { helper } from "./images.ts";
import type { Lock } from "./lock.ts";

interface Descriptor {
  digest: string;
  annotations?: Record<string, string>;
}
interface Layout {
  manifests: Descriptor[];
}
interface ArchiveManifest {
  config?: Descriptor;
  layers?: Descriptor[];
  manifests?: Descriptor[];
}

/**
 * Returns an image as an archive that `docker load`, `podman load` and `nerdctl load` tag as `name`. Adds Docker's
 * `manifest.json` and containerd's name annotation to the engine's archive, which is an OCI layout without a name.
 */
export async function namedTarball(image: Container, name: string, lock: Lock): Promise<File> {
  const tarball = image.asTarball({ forcedCompression: ImageLayerCompression.Uncompressed });
  const unpacked = helper(lock)
    .withMountedFile("/image.tar", tarball)
    .withExec(["sh", "-ec", "mkdir /image && tar -xf /image.tar -C /image"]);
  const layout = unpacked.directory("/image");
  const index = JSON.parse(await layout.file("index.json").contents()) as Layout;
  const blob = (digest: string): string => `blobs/${digest.replace(":", "/")}`;
  const read = async (digest: string): Promise<ArchiveManifest> =>
    JSON.parse(await layout.file(blob(digest)).contents()) as ArchiveManifest;
  let manifest = await read(index.manifests[0]!.digest);
  if (manifest.manifests !== undefined) manifest = await read(manifest.manifests[0]!.digest);
  const docker = [
    {
      Config: blob(manifest.config!.digest),
      RepoTags: [name],
      Layers: (manifest.layers ?? []).map((layer) => blob(layer.digest)),
    },
  ];
  const annotations = {
    "io.containerd.image.name": `docker.io/library/${name}`,
    "org.opencontainers.image.ref.name": name.split(":")[1] ?? "latest",
  };
  const named = {
    ...index,
    manifests: index.manifests.map((each) => ({ ...each, annotations: { ...each.annotations, ...annotations } })),
  };
  return unpacked
    .withNewFile("/image/manifest.json", JSON.stringify(docker))
    .withNewFile("/image/index.json", JSON.stringify(named))
    .withExec(["tar", "-cf", "/named.tar", "-C", "/image", "."])
    .file("/named.tar");
}
