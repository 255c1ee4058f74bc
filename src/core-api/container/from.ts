import { emptyConfig, imagePorts, mergeImageConfig } from "../image/config.ts";
import { type Container } from "../values/values.ts";
import { scratch } from "../values/rooted.ts";
import { normalizePlatform } from "../values/platform.ts";
import type { Call } from "../request/call.ts";

/**
 * Returns the container on top of an image, with the image's configuration. Throws an `ApiError` when the image cannot
 * be resolved.
 */
export async function fromImage(container: Container, address: string, call: Call): Promise<Container> {
  const { reference, config } = await call.session.images.resolve(address, normalizePlatform(container.platform));
  const platform = normalizePlatform(
    `${config.os}/${config.architecture}${config.variant ? `/${config.variant}` : ""}`,
  );
  return {
    ...container,
    platform,
    rootfs: { kind: "image", reference, platform, name: address },
    config: mergeImageConfig(container.config, config),
    ports: imagePorts(container.ports, config),
    imageReference: reference,
  };
}

/** Returns a container without a file system or configuration. */
export function emptyContainer(platform: string): Container {
  return {
    type: "Container",
    platform,
    rootfs: scratch,
    config: emptyConfig,
    mounts: [],
    secrets: [],
    ports: [],
    annotations: [],
    volatileEnv: [],
    services: [],
    sockets: [],
    registryAuth: [],
  };
}
