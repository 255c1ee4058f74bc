import { emptyConfig, imagePorts, mergeImageConfig } from "../image/config.ts";
import { type Container } from "../values/values.ts";
import { scratch } from "../values/rooted.ts";
import { normalizePlatform } from "../values/platform.ts";
import type { Call } from "../request/call.ts";

/** A container on an image, with what its configuration says. */
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

/** A container of nothing. */
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
