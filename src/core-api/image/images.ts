import type { Build, ImageConfig } from "../../buildkit/types.ts";
import { ApiError } from "../values/errors.ts";
import type { RegistryPasswords } from "../registry/auth.ts";
import type { ApiSessionOptions } from "../options.ts";
import type { KnownImage } from "./known-images.ts";
import { formatImageReference, parseImageReference } from "./reference.ts";

export interface ResolvedImage {
  /** Reference with tag and digest. It pins what is pulled, whatever the tag points to later. */
  reference: string;
  config: ImageConfig;
}

/** Image configurations of one session. Each tag is resolved once, so that a session sees a single version of it. */
export class Images {
  private readonly build: Build;
  private readonly passwords: RegistryPasswords;
  private readonly known = new Map<string, Promise<ResolvedImage>>();

  private readonly options: Pick<ApiSessionOptions, "offline" | "knownImages">;

  constructor(build: Build, passwords: RegistryPasswords, options: Pick<ApiSessionOptions, "offline" | "knownImages">) {
    this.build = build;
    this.passwords = passwords;
    this.options = options;
  }

  /** Returns the pinned reference and configuration of an image. Throws an `ApiError` when it cannot be resolved. */
  async resolve(address: string, platform: string): Promise<ResolvedImage> {
    const parsed = parseImageReference(address);
    this.passwords.name(parsed.host);
    const reference = formatImageReference(parsed);
    const key = `${reference} ${platform}`;
    let pending = this.known.get(key);
    if (pending === undefined) {
      pending = this.look(reference, platform).then(({ digest, config }) => ({
        reference: formatImageReference({ ...parsed, digest: digest || parsed.digest }),
        config,
      }));
      this.known.set(key, pending);
      pending.catch(() => this.known.delete(key));
    }
    try {
      return await pending;
    } catch (cause) {
      const reason = this.passwords.explain(cause instanceof Error ? cause.message : String(cause));
      throw new ApiError(
        `failed to resolve image ${JSON.stringify(reference)} (platform: ${JSON.stringify(platform)}): ${reason}`,
        {},
        cause,
      );
    }
  }

  /** Asks the registry, or in an offline session returns what it answered last. */
  private async look(reference: string, platform: string): Promise<KnownImage> {
    const { offline = false, knownImages } = this.options;
    if (offline) {
      const known = knownImages?.find(reference, platform);
      if (known !== undefined) return known;
      if ((await knownImages?.isServedHere(reference)) !== true)
        throw new Error("it is not on this machine, and --offline fetches nothing");
    }
    const resolved = await this.build.resolveImageConfig(reference, platform);
    knownImages?.keep(reference, platform, resolved);
    return resolved;
  }
}
