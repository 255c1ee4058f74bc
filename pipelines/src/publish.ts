import type { Container, Secret } from "@dagger.io/dagger";
import type { Config } from "../vendor/config.mjs";
import { publishIndex } from "./publish-base.ts";
import { UserError } from "./user-error.ts";

export interface PublishOptions {
  address?: string;
  revision?: string;
  created?: string;
  username?: string;
  password?: Secret;
}

/** Publishes the variants as one index with the labels of the OCI annotation specification; answers with the digest. */
export async function publishImage(config: Config, variants: Container[], options: PublishOptions): Promise<string> {
  const address = options.address ?? config.publish?.image;
  if (address === undefined) throw new UserError("name an address with --address or `publish.image`");
  const labels = imageLabels(config, options);
  const labelled = variants.map((variant) =>
    Object.entries(labels).reduce((image, [name, value]) => image.withLabel(name, value), variant),
  );
  return publishIndex(address, labelled, options);
}

/** Without a commit's time there is no `created`: the clock's would make every build a different image. */
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
