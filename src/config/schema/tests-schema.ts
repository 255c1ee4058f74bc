/** `tests` of `fastloop.yaml`. */
import * as z from "zod";
import {
  duration,
  name,
  relativePath,
  patterns,
  oneOrMore,
  environment,
  caches,
  servicePresetNames,
  preset,
  tierNames,
} from "./schema-parts.ts";

const service = z.strictObject({
  preset: z
    .enum(servicePresetNames)
    .optional()
    .describe("A database from Debian's packages, its data in memory; fills the keys below."),
  image: z.string().min(1).optional(),
  packages: z.array(z.string().min(1)).optional().describe("System packages installed on top of the image."),
  port: z.int().positive().optional(),
  env: environment.optional(),
  command: z.array(z.string()).optional(),
  tmpfs: z.array(z.string().startsWith("/")).optional().describe("Kept in memory, e.g. a database's data folder."),
  migrations: z
    .strictObject({
      folder: relativePath.describe("Of the project; mounted at /migrations."),
      run: oneOrMore.optional().describe("Default for postgres: every *.sql in the order of names."),
    })
    .optional()
    .describe("Run once into the service's initial data, and again only when the folder's content changed."),
});

const tierCommand = z.union([
  z.string().min(1),
  z.strictObject({
    run: oneOrMore.describe("$TEST_ARGS is what is asked of the runner: files, shard, reports."),
    files: patterns.optional().describe("The tier's test files, below cwd; they are handed over in $TEST_ARGS."),
    services: z.array(name).optional(),
    env: environment.optional(),
  }),
]);

const suite = z.strictObject({
  preset: preset.optional(),
  image: z.string().optional().describe("`base`, `dev` or an image. Default: the preset's."),
  root: relativePath
    .optional()
    .describe("Folder of the project that is the whole suite; the paths below are relative to it."),
  workdir: z.string().startsWith("/").optional().describe("Where the sources are in the container. Default: /app."),
  cwd: relativePath.optional().describe("Folder below workdir in which commands run."),
  manifests: patterns.optional().describe("Copied before install: lock files and package manifests."),
  install: z
    .union([z.string().min(1), z.array(z.string().min(1))])
    .optional()
    .describe("Nothing with an empty list."),
  installed: patterns
    .optional()
    .describe("Folders below workdir that install makes inside the sources, e.g. node_modules."),
  caches: caches.optional(),
  sources: patterns.optional().describe("`folder/` is mounted, everything else copied. Default: ./ (all)."),
  env: environment.optional(),
  services: z.array(name).optional().describe("Services of tests.services, by their name as host name."),
  runner: z
    .enum(["vitest", "jest", "node", "pytest", "go", "cargo"])
    .optional()
    .describe("For selection, sharding and JUnit."),
  tiers: z.partialRecord(z.enum(tierNames), tierCommand),
});

export const tests = z.strictObject({
  tiers: z
    .partialRecord(z.enum(tierNames), z.strictObject({ budget: duration.optional() }))
    .optional()
    .describe("Upper bounds. Defaults: smoke 30s, fast 2m, full 10m."),
  services: z.record(name, service).optional(),
  suites: z.record(name, suite),
});
