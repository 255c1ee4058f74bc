import { dag } from "@dagger.io/dagger";
import type { Container, Platform } from "@dagger.io/dagger";
import type { BaseImageConfig } from "../vendor/config.mjs";
import { baseImage } from "./base.ts";
import { baseKey } from "./base-key.ts";
import type { Lock } from "./lock.ts";
import { pinned } from "./lock.ts";
import { announce, resolveReference } from "./published.ts";
import { defaultTags, expandTags } from "./tags.ts";
import { UserError } from "./user-error.ts";

/**
 * Returns the base image from the first source that has it: the digest in the lock if it belongs to this content key,
 * the registry's tag of the key, or an inline build. Announces each source that fails. With `onMissing: "fail"`, throws
 * a `UserError` instead of building.
 */
export async function baseFromLadder(
  base: BaseImageConfig,
  lock: Lock,
  onMissing: "build" | "fail",
  platform?: Platform,
): Promise<Container> {
  const from = pinned(base.from, lock);
  const key = baseKey(base, from);
  if (base.registry !== undefined) {
    for (const reference of references(base, lock, key)) {
      const resolved = await resolveReference(reference, platform);
      if (resolved !== undefined)
        return dag.container(platform === undefined ? undefined : { platform }).from(resolved);
      announce(`base ${reference} can't be had`);
    }
    if (onMissing === "fail") {
      throw new UserError(
        `no base image of key ${key} in ${base.registry}; publish it with \`fastloop call publish-base\` or pass --on-base-missing build`,
      );
    }
    announce("building the base inline");
  }
  return baseImage(base, lock, { platform });
}

/** Returns the references to try. A lock with another content key is stale, so its digest is not one of them. */
function references(base: BaseImageConfig, lock: Lock, key: string): string[] {
  const tags = expandTags(base, base.tags ?? defaultTags, key, new Date(0)).filter((tag) => !tag.name.includes("1970"));
  const locked = lock.base !== undefined && lock.base.key === key ? [lock.base.ref] : [];
  return [...locked, ...tags.slice(0, 1).map((tag) => `${base.registry}:${tag.name}`)];
}
