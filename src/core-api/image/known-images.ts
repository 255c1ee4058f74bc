import type { ImageConfig } from "../../buildkit/types.ts";

/** What a tag led to. */
export interface KnownImage {
  digest: string;
  config: ImageConfig;
}

/** The images that this machine has resolved, by reference and platform: what a session without the network goes by. */
export interface KnownImages {
  find(reference: string, platform: string): KnownImage | undefined;
  /** Whether a registry on this machine has it: then BuildKit is asked, network or not. */
  isServedHere(reference: string): Promise<boolean>;
  keep(reference: string, platform: string, image: KnownImage): void;
}
