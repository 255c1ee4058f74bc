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

/**
 * Returns a report with the content key, whether it is published, whether the lock has the current digest of `from`,
 * and the packages that an installation today would change.
 */
export async function outdatedReport(base: BaseImageConfig, lock: Lock): Promise<string> {
  const key = baseKey(base, pinned(base.from, lock));
  const [published, current] = await Promise.all([
    base.registry === undefined ? undefined : resolveReference(`${base.registry}:${keyTag(key)}`),
    resolveReference(base.from),
  ]);
  // If none is published, the comparison is with an inline build, which is what the project then uses.
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
  return locked === current ? `${name} matches fastloop.lock` : `${name} moved to ${current}; run lock-base`;
}

/**
 * Returns the text of a lock with the current digests of all images that functions start from. Keeps `clusters`. Throws
 * a `UserError` if an image can't be resolved.
 */
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
