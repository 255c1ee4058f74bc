/** `images` of `fastloop.yaml`. */
import * as z from "zod";
import { size, platform, name, patterns, oneOrMore, environment, layer, preset } from "./schema-parts.ts";

const tool = z.strictObject({
  name,
  version: z.string().min(1),
  install: oneOrMore.optional().describe("Shell commands; $VERSION and $TARGETARCH are set."),
  check: z.string().optional().describe("Prints the version. Default: NAME --version."),
});

const baseImage = z.strictObject({
  from: z.string().min(1).describe("The image that everything starts from; pin a digest."),
  version: z.string().optional().describe("{version} in tags."),
  packages: z.array(z.string().min(1)).optional().describe("System packages (apt or apk), NAME or NAME=VERSION."),
  tools: z.array(tool).optional(),
  globals: z.array(z.string().min(1)).optional().describe("Global npm packages, NAME@VERSION."),
  env: environment.optional(),
  user: z.string().optional().describe("Created when missing; owns the workdir."),
  workdir: z.string().startsWith("/").optional(),
  platforms: z.array(platform).min(1).optional().describe("Default: linux/amd64."),
  registry: z.string().optional().describe("Repository to publish to, e.g. ghcr.io/acme/shop."),
  tags: z.array(z.string().min(1)).optional().describe("Tag templates. Default: base-{version}, base-latest."),
  maxSize: size.optional(),
  onMissing: z.enum(["build", "fail"]).optional().describe("When the published base can't be had. Default: build."),
  keep: z.int().positive().optional().describe("How many versions prune-base keeps. Default 5."),
});

const devImage = z.strictObject({
  base: z.string().optional().describe("`base` (default) or an image."),
  preset: preset.optional(),
  workdir: z.string().startsWith("/").optional().describe("Default: /app."),
  layers: z
    .array(layer)
    .optional()
    .describe("In order, after the dependency layer of the preset: what changes least comes first."),
  sources: patterns.optional().describe("Copied last. Default: everything."),
  env: environment.optional(),
  user: z.string().optional(),
  command: z.array(z.string()).optional(),
});

const prodImage = z.strictObject({
  from: z.string().min(1),
  packages: z.array(z.string().min(1)).optional(),
  copy: z.array(z.string().startsWith("/")).optional().describe("Files and folders taken from the dev image."),
  env: environment.optional(),
  workdir: z.string().startsWith("/").optional(),
  user: z.string().optional(),
  command: z.array(z.string()).optional(),
});

export const images = z.strictObject({
  base: baseImage.optional(),
  dev: devImage.optional(),
  prod: prodImage.optional(),
});
