import type { FrontendResult } from "../../buildkit/types.ts";
import { imagesIn } from "../../llb/index.ts";
import { ApiError } from "../values/errors.ts";
import { parsePlatform } from "../values/platform.ts";
import type { Call } from "../request/call.ts";

/** BuildKit's error for an image that has no variant for a platform, or none that was prepared yet. */
const lacking = /failed to resolve source metadata for (\S+): no match for platform/;

/**
 * Runs a frontend with images of foreign platforms prepared, as `from` does. Rejects images that lack a variant for
 * their platform, because BuildKit accepts a single-variant image for any platform. The images of a Dockerfile are
 * known only after the frontend has read it, so the frontend runs again after each preparation.
 */
export async function onPlatforms(
  call: Call,
  platform: string,
  build: () => Promise<FrontendResult>,
): Promise<FrontendResult> {
  const { images, defaultPlatform } = call.session;
  const prepared = new Set<string>();
  for (;;) {
    let foreign: { address: string; platform: string }[];
    let result: FrontendResult | undefined;
    try {
      result = await build();
      foreign = imagesIn(result.definition).filter((image) => !isSameMachine(image.platform, defaultPlatform));
    } catch (error) {
      const address = lacking.exec(error instanceof Error ? error.message : "")?.[1];
      if (address === undefined || isSameMachine(platform, defaultPlatform) || prepared.has(`${address} ${platform}`))
        throw error;
      foreign = [{ address, platform }];
    }
    const unprepared = foreign.filter((image) => !prepared.has(`${image.address} ${image.platform}`));
    if (result !== undefined && unprepared.length === 0) return result;
    for (const { address, platform: wanted } of unprepared) {
      const { config } = await images.resolve(address, wanted);
      const found = `${config.os}/${config.architecture}`;
      if (!isSameMachine(found, wanted))
        throw new ApiError(`image ${JSON.stringify(address)} has no variant for ${wanted}, only for ${found}`);
      prepared.add(`${address} ${wanted}`);
    }
  }
}

function isSameMachine(one: string, other: string): boolean {
  const [a, b] = [parsePlatform(one), parsePlatform(other)];
  return a.OS === b.OS && a.Architecture === b.Architecture;
}
