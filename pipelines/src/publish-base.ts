import { dag } from "@dagger.io/dagger";
import type { Container, Platform, Secret } from "@dagger.io/dagger";
import type { BaseImageConfig } from "../vendor/config.mjs";
import { baseImage } from "./base.ts";
import { baseKey } from "./base-key.ts";
import { digestIn, fromDigestLabel, whatMoved } from "./freshness.ts";
import type { Lock } from "./lock.ts";
import { pinned } from "./lock.ts";
import { resolveReference } from "./published.ts";
import { RegistryClient } from "./registry-client.ts";
import { defaultTags, expandTags, keyTag } from "./tags.ts";
import type { Tag } from "./tags.ts";
import { findingsTable, publishedImage, refuseFailures, verifyImage } from "./verify.ts";
import type { Finding } from "./verify.ts";
import { UserError } from "./user-error.ts";

export interface PublishBaseOptions {
  platforms: Platform[];
  /** Tag templates; default: `images.base.tags`. */
  tags?: string[];
  /** The repository, such as `ghcr.io/acme/base`. */
  registry: string;
  username?: string;
  password?: Secret;
  /** Build and publish even if the registry already has the content key. */
  force: boolean;
  /** Build and publish again if a build today would differ from the published image. */
  refresh: boolean;
  now: Date;
}

export const keyLabel = "dev.fastloop.base-key";
const platformsLabel = "dev.fastloop.base-platforms";
const createdLabel = "org.opencontainers.image.created";

/**
 * Puts all requested tags on the base image with this content key: on the one that the registry has, else on one that
 * is built and verified for all platforms. Returns a summary in Markdown. Throws if a check fails; then nothing is
 * published.
 */
export async function publishBase(base: BaseImageConfig, lock: Lock, options: PublishBaseOptions): Promise<string> {
  const key = baseKey(base, pinned(base.from, lock));
  const tags = expandTags(base, options.tags ?? base.tags ?? defaultTags, key, options.now);
  const known = options.force ? undefined : await publishedForAll(`${options.registry}:${keyTag(key)}`, options);
  const moved =
    known === undefined || !options.refresh ? [] : await whatMoved(base, lock, publishedVariants(known, options));
  if (known === undefined || moved.length > 0) return publishBuilt(base, lock, key, tags, moved, options);
  const put = await tagPublished(known, tags, options);
  return `Base ${key} is published already: \`${known}\`. Nothing was built.\n${put.length === 0 ? "" : `Tags put on it: ${put.map((tag) => `\`${tag}\``).join(", ")}\n`}`;
}

/** Returns the published base's reference with digest; undefined if it is missing or lacks a requested platform. */
async function publishedForAll(reference: string, options: PublishBaseOptions): Promise<string | undefined> {
  const [first] = options.platforms;
  const found = await resolveReference(reference, first, options);
  if (found === undefined) return undefined;
  // If an image has one variant, an engine returns it for any platform, so the platforms are in a label.
  const label = await withAuth(publishedImage(found, first), found, options).label(platformsLabel);
  const has = (label ?? "").split(",");
  return has[0] === "" || options.platforms.every((platform) => has.includes(platform)) ? found : undefined;
}

const publishedVariants = (reference: string, options: PublishBaseOptions) =>
  options.platforms.map((platform) => ({
    image: withAuth(publishedImage(reference, platform), reference, options),
    platform,
  }));

async function publishBuilt(
  base: BaseImageConfig,
  lock: Lock,
  key: string,
  tags: readonly Tag[],
  moved: readonly string[],
  options: PublishBaseOptions,
): Promise<string> {
  // Resolved once, so that all platforms start from the same digest. A later refresh reads it from the label.
  const from = (await resolveReference(pinned(base.from, lock))) ?? pinned(base.from, lock);
  const freshness = options.force || moved.length > 0 ? options.now.toISOString() : undefined;
  const variants = options.platforms.map((platform) => {
    const image = baseImage({ ...base, from }, lock, { platform, freshness })
      .withLabel(keyLabel, key)
      .withLabel(platformsLabel, options.platforms.join(","))
      .withLabel(createdLabel, options.now.toISOString());
    const digest = digestIn(from);
    return digest === undefined ? image : image.withLabel(fromDigestLabel, digest);
  });
  const findings = (
    await Promise.all(variants.map((image, index) => verifyImage(image, base, options.platforms[index]!)))
  ).flat();
  refuseFailures(findings);

  const published: string[] = [];
  for (const tag of tags) published.push(await publishIndex(`${options.registry}:${tag.name}`, variants, options));
  const [first = ""] = published;
  const other = published.find((reference) => digestIn(reference) !== digestIn(first));
  if (other !== undefined) throw new UserError(`the tags were published with different digests: ${first} and ${other}`);
  return summary(key, tags, first, moved, findings);
}

/**
 * Tags the published digest and returns the tags that were not on it before. Uses the registry's API. A function that
 * fastloop confines can't reach a registry in a private network; then the engine pulls the digest and publishes it
 * under all tags, so that they have the same digest.
 */
async function tagPublished(reference: string, tags: readonly Tag[], options: PublishBaseOptions): Promise<string[]> {
  const { username, password, registry, platforms } = options;
  const names = await Promise.all(
    tags.map(async ({ name }) => ({ name, now: await resolveReference(`${registry}:${name}`, platforms[0], options) })),
  );
  const missing = names.filter(({ now }) => digestIn(now) !== digestIn(reference)).map(({ name }) => name);
  if (missing.length === 0) return [];
  const auth =
    username === undefined || password === undefined ? undefined : { username, password: await password.plaintext() };
  const client = new RegistryClient(registry, auth, fetch, "pull,push");
  try {
    for (const name of missing) await client.tag(digestIn(reference) ?? "", name);
  } catch (failure) {
    // `fetch` throws a TypeError if it can't connect. Any other error is an answer of the registry.
    if (!(failure instanceof TypeError))
      throw new UserError(
        `the base is published as ${reference}, but tagging it as ${missing.join(", ")} failed: ${(failure as Error).message}`,
        { cause: failure },
      );
    const variants = publishedVariants(reference, options).map(({ image }) => image);
    for (const { name } of tags) await publishIndex(`${registry}:${name}`, variants, options);
  }
  return missing;
}

/**
 * Publishes the variants as one index and returns its reference with digest. Credentials are only on the container that
 * publishes, so that they are in no cache key.
 */
export async function publishIndex(
  address: string,
  variants: Container[],
  auth: { username?: string; password?: Secret },
): Promise<string> {
  return withAuth(dag.container(), address, auth).publish(address, { platformVariants: variants });
}

function withAuth(
  container: Container,
  address: string,
  { username, password }: { username?: string; password?: Secret },
): Container {
  return username === undefined || password === undefined
    ? container
    : container.withRegistryAuth(address, username, password);
}

function summary(
  key: string,
  tags: readonly Tag[],
  reference: string,
  moved: readonly string[],
  findings: readonly Finding[],
): string {
  const why = moved.length === 0 ? [] : ["Built anew:", ...moved.map((what) => `- ${what}`), ""];
  return [
    `## Base image ${key}`,
    "",
    ...why,
    `Published \`${reference}\``,
    "",
    `Tags: ${tags.map(({ name }) => `\`${name}\``).join(", ")}`,
    "",
    findingsTable(findings),
  ].join("\n");
}
