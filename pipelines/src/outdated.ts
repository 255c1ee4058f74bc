import type { BaseImageConfig, Config } from "../vendor/config.mjs";
import { baseImage } from "./base.ts";
import { baseKey } from "./base-key.ts";
import { packagesMoved } from "./freshness.ts";
import { imageNames } from "./images.ts";
import type { Lock } from "./lock.ts";
import { pinned } from "./lock.ts";
import { publishedImage } from "./verify.ts";
import { resolveReference } from "./published.ts";
import { keyTag } from "./tags.ts";
import { UserError } from "./user-error.ts";

/** Three questions: is this description published, does the lock name today's images, would a build of today be another? */
export async function outdatedReport(base: BaseImageConfig, lock: Lock): Promise<string> {
  const key = baseKey(base, pinned(base.from, lock));
  const [published, current] = await Promise.all([
    base.registry === undefined ? undefined : resolveReference(`${base.registry}:${keyTag(key)}`),
    resolveReference(base.from),
  ]);
  // Without a published one, the engine's own build is what people work with.
  const moved = await packagesMoved(base, lock, {
    image: published === undefined ? baseImage(base, lock) : publishedImage(published),
  });
  const lines = [`key        ${key}`];
  if (base.registry !== undefined) lines.push(`published  ${published ?? "no: run publish-base"}`);
  lines.push(`from       ${describeFrom(base.from, lock, current)}`);
  lines.push(
    `packages   ${moved.length === 0 ? "up to date" : `${moved.length} behind: ${moved.join(", ")}; run publish-base --refresh`}`,
  );
  return `${lines.join("\n")}\n`;
}

function describeFrom(name: string, lock: Lock, current: string | undefined): string {
  const locked = lock.images[name];
  if (current === undefined) return `${name} can't be reached`;
  if (locked === undefined) return `${name} is not in fastloop.lock; today it is ${current}`;
  return locked === current ? `${name} is as locked` : `${name} moved to ${current}; run lock-base`;
}

/** The lock with the digests that the registries name today, of every image that a function starts from; pins of clusters stay. */
export async function lockText(config: Config, clusters: Lock["clusters"]): Promise<string> {
  const names = imageNames(config);
  const resolved = await Promise.all(names.map((name) => resolveReference(name)));
  const unreachable = names.filter((_, index) => resolved[index] === undefined);
  if (unreachable.length > 0)
    throw new UserError(
      `${unreachable.join(", ")} can't be reached; the lock needs ${unreachable.length === 1 ? "its digest" : "their digests"}`,
    );
  const lock: Lock = { version: 1, images: Object.fromEntries(names.map((name, index) => [name, resolved[index]!])) };
  const base = config.images?.base;
  if (base?.registry !== undefined) {
    const key = baseKey(base, pinned(base.from, lock));
    const ref = await resolveReference(`${base.registry}:${keyTag(key)}`);
    if (ref !== undefined) lock.base = { key, ref };
  }
  if (clusters !== undefined) lock.clusters = clusters;
  return `${JSON.stringify(lock, null, 2)}\n`;
}
