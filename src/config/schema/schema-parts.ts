import * as z from "zod";
import { durationMs, longestTimeLimitMs } from "./units.ts";

/** Schemas that several parts of `fastloop.yaml` share. */

export const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, "a duration such as 50ms, 30s, 2m, 1h")
  .describe("A duration: a number and ms, s, m, h or d.");
export const timeLimit = duration.refine((text) => {
  try {
    const ms = durationMs(text);
    return ms > 0 && ms <= longestTimeLimitMs;
  } catch {
    return true; // Not a duration at all, which is already reported.
  }
}, "a duration of more than 0 and at most 24d");
export const size = z
  .string()
  .regex(/^\d+(\.\d+)?\s?(B|kB|MB|GB|KiB|MiB|GiB)$/, "a size such as 500MB or 1.2GB")
  .describe("A size: a number and B, kB, MB, GB, KiB, MiB or GiB.");
export const platform = z
  .string()
  .regex(/^[a-z0-9]+\/[a-z0-9]+(\/v\d+)?$/, "a platform such as linux/amd64 or linux/arm64");
export const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9._-]*$/, "a name: letters, digits, '.', '_' and '-', starting with a letter");
export const insideProject = "a path inside the project";
export const relativePath = z
  .string()
  .min(1)
  .refine((path) => !path.startsWith("/") && !path.split("/").includes(".."), insideProject);
export const patterns = z.array(relativePath);
export const oneOrMore = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
export const environment = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "an environment variable's name"),
  z.string(),
);
export const caches = z
  .record(z.string().regex(/^[A-Za-z0-9._-]+$/, "a cache volume's name"), z.string().startsWith("/"))
  .describe("Cache volumes: name to absolute path in the container.");

export const servicePresetNames = ["postgres", "redis"] as const;

export const layer = z.strictObject({
  name,
  files: patterns.optional().describe("Copied before the commands run. Default: none."),
  run: oneOrMore.optional(),
  caches: caches.optional(),
  env: environment.optional(),
});

export const presetNames = ["npm", "pnpm", "yarn", "pip", "uv", "poetry", "go", "cargo"] as const;
export const preset = z.enum(presetNames).describe("Fills manifests, install, caches and image for a package manager.");

export const tierNames = ["smoke", "fast", "full"] as const;
