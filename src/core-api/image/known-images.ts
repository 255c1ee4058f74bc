import type { ImageConfig } from "../../buildkit/types.ts";

/** What a tag resolved to. */
export interface KnownImage {
  digest: string;
  config: ImageConfig;
}

/** Images that this machine has resolved, by reference and platform. Offline sessions resolve tags from them. */
export interface KnownImages {
  find(reference: string, platform: string): KnownImage | undefined;
  /** Reports whether a registry on this machine has the image. If so, BuildKit is asked even in an offline session. */
  isServedHere(reference: string): Promise<boolean>;
  keep(reference: string, platform: string, image: KnownImage): void;
}
