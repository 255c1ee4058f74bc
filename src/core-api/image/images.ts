import type { Build, ImageConfig } from "../../buildkit/types.ts";
import { ApiError } from "../values/errors.ts";
import type { RegistryPasswords } from "../registry/auth.ts";
import { formatImageReference, parseImageReference } from "./reference.ts";

export interface ResolvedImage {
  /** With tag and digest: what is pulled, whatever the tag says later. */
  reference: string;
  config: ImageConfig;
}

/** Image configurations of one session: a tag is resolved once, so that a session sees one version of it. */
export class Images {
  private readonly build: Build;
  private readonly passwords: RegistryPasswords;
  private readonly known = new Map<string, Promise<ResolvedImage>>();

  constructor(build: Build, passwords: RegistryPasswords) {
    this.build = build;
    this.passwords = passwords;
  }

  async resolve(address: string, platform: string): Promise<ResolvedImage> {
    const parsed = parseImageReference(address);
    this.passwords.name(parsed.host);
    const reference = formatImageReference(parsed);
    const key = `${reference} ${platform}`;
    let pending = this.known.get(key);
    if (pending === undefined) {
      pending = this.build.resolveImageConfig(reference, platform).then(({ digest, config }) => ({
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
}
