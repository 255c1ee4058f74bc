import { createHash } from "node:crypto";
import type { BaseImageConfig } from "../vendor/config.mjs";

/**
 * What a base image is made of, as one short name: the hash of everything in its description that changes its content.
 * Where it is published, under which tags and how many are kept is no part of it.
 */
export function baseKey(base: BaseImageConfig, pinned: string = base.from): string {
  const { packages = [], tools = [], globals = [], env = {}, user, workdir } = base;
  const content = { from: pinned, packages, tools, globals, env, user, workdir };
  return createHash("sha256").update(canonical(content)).digest("hex").slice(0, 16);
}

/** JSON with sorted keys: the order in the file says nothing. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`)
    .join(",")}}`;
}
