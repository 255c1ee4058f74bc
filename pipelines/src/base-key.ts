import { createHash } from "node:crypto";
import type { BaseImageConfig } from "../vendor/config.mjs";

/**
 * Returns the content key of a base image: the first 16 hex digits of the SHA-256 of everything in its description that
 * changes its content. Registry, tags and retention are not part of it. `pinned` is `from` with the digest in the lock.
 */
export function baseKey(base: BaseImageConfig, pinned: string = base.from): string {
  const { packages = [], tools = [], globals = [], env = {}, user, workdir } = base;
  const content = { from: pinned, packages, tools, globals, env, user, workdir };
  return createHash("sha256").update(canonical(content)).digest("hex").slice(0, 16);
}

/** Returns JSON with sorted keys, so that the order of keys in the file does not matter. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`)
    .join(",")}}`;
}
