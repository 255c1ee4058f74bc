import type { FrontendResult } from "../../buildkit/types.ts";
import { imagesIn, type ReadImage } from "../../llb/index.ts";
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
  const { defaultPlatform } = call.session;
  const isForeign = (image: ReadImage): boolean => !isSameMachine(image.platform, defaultPlatform);
  const prepared = new Set<string>();
  for (;;) {
    let used: ReadImage[];
    let result: FrontendResult | undefined;
    try {
      result = await build();
      used = imagesIn(result.definition);
    } catch (error) {
      const address = lacking.exec(error instanceof Error ? error.message : "")?.[1];
      if (address === undefined || isSameMachine(platform, defaultPlatform) || prepared.has(`${address} ${platform}`))
        throw error;
      used = [{ reference: address, address, platform }];
    }
    const unprepared = used.filter((image) => isForeign(image) && !prepared.has(`${image.address} ${image.platform}`));
    if (result !== undefined && unprepared.length === 0) {
      await Promise.all(used.filter((image) => !isForeign(image)).map((image) => requireVariant(call, image)));
      return result;
    }
    for (const image of unprepared) {
      await requireVariant(call, image);
      prepared.add(`${image.address} ${image.platform}`);
    }
  }
}

/** Resolves an image, which prepares its platform. Throws an `ApiError` if what there is of it is for another machine. */
async function requireVariant({ session }: Call, { reference, address, platform }: ReadImage): Promise<void> {
  const isOwn = isSameMachine(platform, session.defaultPlatform);
  // An offline session knows only what `from` resolved before; BuildKit had this one for its own platform.
  if (isOwn && session.options.offline === true) return;
  // A tag may have another digest once a foreign platform is prepared. On the own platform the digest is what was read:
  // its tag may have moved since, and an image that is pinned by its digest alone need not have one.
  const { config } = await session.images.resolve(isOwn ? reference : address, platform);
  const found = `${config.os}/${config.architecture}`;
  if (!isSameMachine(found, platform))
    throw new ApiError(`image ${JSON.stringify(address)} has no variant for ${platform}, only for ${found}`);
}

function isSameMachine(one: string, other: string): boolean {
  const [a, b] = [parsePlatform(one), parsePlatform(other)];
  return a.OS === b.OS && a.Architecture === b.Architecture;
}
