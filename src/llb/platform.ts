import type { WirePlatform } from "./wire.ts";

/** Converts `linux/arm64` or `linux/arm/v7` to the message. Throws an `Error` for other text. */
export function parsePlatform(platform: string): WirePlatform {
  const [os, architecture, variant] = platform.split("/");
  if (os === undefined || os === "" || architecture === undefined || architecture === "") {
    throw new Error(`not a platform: "${platform}" (expected os/architecture[/variant])`);
  }
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** Converts the message to text such as `linux/arm64`. */
export function formatPlatform(platform: WirePlatform): string {
  return [platform.os, platform.architecture, platform.variant]
    .filter((part) => part !== undefined && part !== "")
    .join("/");
}
