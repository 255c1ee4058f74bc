import { dag } from "@dagger.io/dagger";
import type { Container, Platform, Secret } from "@dagger.io/dagger";
import type { BaseImageConfig } from "../vendor/config.mjs";
import { baseImage } from "./base.ts";
import { baseKey } from "./base-key.ts";
import type { Lock } from "./lock.ts";
import { pinned } from "./lock.ts";
import { resolveReference } from "./published.ts";
import { defaultTags, expandTags, keyTag } from "./tags.ts";
import { findingsTable, refuseFailures, verifyImage } from "./verify.ts";
import type { Finding } from "./verify.ts";

export interface PublishBaseOptions {
  platforms: Platform[];
  tags?: string[];
  registry: string;
  username?: string;
  password?: Secret;
  /** Publish even when the key is there already. */
  force: boolean;
  now: Date;
}

export const keyLabel = "dev.fastloop.base-key";
const createdLabel = "org.opencontainers.image.created";

/** Builds all platforms, verifies each, publishes one index under every tag, the moving tags last. Returns a summary. */
export async function publishBase(base: BaseImageConfig, lock: Lock, options: PublishBaseOptions): Promise<string> {
  const from = pinned(base.from, lock);
  const key = baseKey(base, from);
  const known = options.force ? undefined : await resolveReference(`${options.registry}:${keyTag(key)}`, options.platforms[0], options);
  if (known !== undefined) return `Base ${key} is published already: \`${known}\`. Nothing was built.\n`;

  const variants = options.platforms.map((platform) =>
    baseImage({ ...base, from }, platform)
      .withLabel(keyLabel, key)
      .withLabel(createdLabel, options.now.toISOString()),
  );
  const findings = (await Promise.all(variants.map((image, index) => verifyImage(image, base, options.platforms[index]!)))).flat();
  refuseFailures(findings);

  const tags = expandTags(base, options.tags ?? base.tags ?? defaultTags, key, options.now);
  const published: string[] = [];
  for (const tag of tags) published.push(await publishIndex(`${options.registry}:${tag.name}`, variants, options));
  return summary(key, tags.map((tag) => tag.name), published[0] ?? "", findings);
}

/** One index over all variants; credentials only on the container that is published, so that they bust no cache. */
export async function publishIndex(address: string, variants: Container[], auth: { username?: string; password?: Secret }): Promise<string> {
  let publisher = dag.container();
  if (auth.username !== undefined && auth.password !== undefined) {
    publisher = publisher.withRegistryAuth(address, auth.username, auth.password);
  }
  return publisher.publish(address, { platformVariants: variants });
}

function summary(key: string, tags: readonly string[], reference: string, findings: readonly Finding[]): string {
  return [`## Base image ${key}`, "", `Published \`${reference}\``, "", `Tags: ${tags.map((tag) => `\`${tag}\``).join(", ")}`, "", findingsTable(findings)].join("\n");
}
