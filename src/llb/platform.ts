import type { WirePlatform } from "./wire.ts";

/** `linux/arm64`, `linux/arm/v7` -> the message. */
export function parsePlatform(platform: string): WirePlatform {
  const [os, architecture, variant] = platform.split("/");
  if (os === undefined || os === "" || architecture === undefined || architecture === "") {
    throw new Error(`not a platform: "${platform}" (expected os/architecture[/variant])`);
  }
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** The message -> `linux/arm64`. */
export function formatPlatform(platform: WirePlatform): string {
  return [platform.os, platform.architecture, platform.variant]
    .filter((part) => part !== undefined && part !== "")
    .join("/");
}
