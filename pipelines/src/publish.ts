import type { Container, Secret } from "@dagger.io/dagger";
import type { Config } from "../vendor/config.mjs";
import { publishIndex } from "./publish-base.ts";
import { UserError } from "./user-error.ts";

export interface PublishOptions {
  /** Default: `publish.image`. */
  address?: string;
  /** The commit. */
  revision?: string;
  /** The commit's time (RFC 3339). */
  created?: string;
  username?: string;
  password?: Secret;
}

/**
 * Publishes the variants as one index, with labels named as in the OCI image specification. Returns the reference with
 * its digest. Throws a `UserError` if there is no address.
 */
export async function publishImage(config: Config, variants: Container[], options: PublishOptions): Promise<string> {
  const address = options.address ?? config.publish?.image;
  if (address === undefined) throw new UserError("no address: pass --address or set `publish.image`");
  const labels = imageLabels(config, options);
  const labelled = variants.map((variant) =>
    Object.entries(labels).reduce((image, [name, value]) => image.withLabel(name, value), variant),
  );
  return publishIndex(address, labelled, options);
}

/** Returns the image's labels. `created` is only set from the commit's time: the clock's would change every build. */
export function imageLabels(config: Config, { revision, created }: PublishOptions): Record<string, string> {
  const { title, source, licenses, labels } = config.publish ?? {};
  const known = {
    "org.opencontainers.image.title": title ?? config.name,
    "org.opencontainers.image.source": source,
    "org.opencontainers.image.licenses": licenses,
    "org.opencontainers.image.revision": revision,
    "org.opencontainers.image.created": created,
  };
  return {
    ...Object.fromEntries(Object.entries(known).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    ...labels,
  };
}
