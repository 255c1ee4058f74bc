import { emptyConfig } from "../image/config.ts";
import { scratch, type Container } from "../values/values.ts";

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
