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
 * Where the base comes from, best first: the digest in the lock, the published tag of this very description, the moving
 * tags, an inline build (which the engine's cache makes the local one). Each step that fails is announced.
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

/** A lock of another description is stale: its digest is not the base that is asked for. */
function references(base: BaseImageConfig, lock: Lock, key: string): string[] {
  const tags = expandTags(base, base.tags ?? defaultTags, key, new Date(0)).filter((tag) => !tag.name.includes("1970"));
  const locked = lock.base !== undefined && lock.base.key === key ? [lock.base.ref] : [];
  return [...locked, ...tags.slice(0, 1).map((tag) => `${base.registry}:${tag.name}`)];
}
