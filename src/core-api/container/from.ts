import { imagePorts, mergeImageConfig } from "../image/config.ts";
import { normalizePlatform } from "../values/platform.ts";
import type { Call } from "../session.ts";
import type { Container } from "../values/values.ts";

/** A container on an image, with what its configuration says. */
export async function fromImage(container: Container, address: string, call: Call): Promise<Container> {
  const { reference, config } = await call.session.images.resolve(address, container.platform);
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
