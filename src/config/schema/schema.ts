import * as z from "zod";
import { parseCacheLocation } from "./shared-cache.ts";
import { deploy } from "./deploy-schema.ts";
import { images } from "./images-schema.ts";
import { tests } from "./tests-schema.ts";
import {
  duration,
  timeLimit,
  size,
  platform,
  name,
  relativePath,
  patterns,
  oneOrMore,
  tierNames,
} from "./schema-parts.ts";
import { local, services, up } from "./services-schema.ts";

export { presetNames, servicePresetNames, tierNames } from "./schema-parts.ts";

/**
 * The schema of `fastloop.yaml`, shared by the CLI, the module and editors (`docs/fastloop.schema.json`). Values stay
 * as written: texts remain texts (`50ms`, `linux/arm64`), and presets fill in defaults later, so that messages can
 * point at the line. `durationMs` and `sizeBytes` convert the texts to numbers.
 */

const resources = {
  containers: z.int().positive().optional(),
  memory: size.optional(),
  cpus: z.number().positive().optional(),
};
const uses = z.strictObject(resources).describe("What a run takes of engine.limits. Default: one container.");
const limits = z
  .strictObject(resources)
  .describe(
    "What runs take together at most. Default: 10 containers, 4GB, one CPU less than there are. Where written, what lives is held to containers and memory as well.",
  );

const watchTarget = z.strictObject({
  call: z.string().min(1).describe("The function and its arguments, in the grammar of `dagger call`."),
  needs: z.array(name).optional().describe("Targets that must have passed first."),
  inputs: patterns.optional().describe("Narrows what an edit must touch to affect this call; `!` excludes."),
  environment: z.array(z.string()).optional().describe("Host variables that are part of the call's digest."),
  policy: z
    .enum(["restart", "queue"])
    .optional()
    .describe("What a newer edit does to a run that it made stale. Default: restart."),
  debounce: duration.optional().describe("Longer than that of the whole watch, for a slow call."),
  timeout: timeLimit.optional(),
  tier: z
    .enum(tierNames)
    .optional()
    .describe("For `run --tier`; each tier has the ones before it in it. Default: the call's --tier, else full."),
  retries: z
    .int()
    .min(0)
    .max(10)
    .optional()
    .describe("How often a failed run is tried again, for calls that are known to be flaky."),
  uses: uses.optional(),
});

const watch = z.strictObject({
  debounce: duration.optional().describe("How long files must be quiet before a change set is taken. Default 50ms."),
  ignore: patterns.optional().describe("Never watched, on top of what the functions ignore."),
  poll: z.boolean().optional().describe("Poll instead of file events, for file systems without them."),
  pollInterval: duration.optional(),
  targets: z.record(name, watchTarget).optional(),
});

const engine = z.strictObject({
  use: z.enum(["auto", "embedded", "dagger"]).optional().describe("As the flag --engine."),
  buildkit: z.string().optional().describe("Address of a BuildKit daemon to use."),
  idle: duration
    .optional()
    .describe("The embedded engine stops itself after this time without a session. Default 30m."),
  jobs: z.int().positive().optional().describe("Functions that run at a time."),
  limits: limits.optional(),
});

const records = z.strictObject({
  keep: z.int().positive().optional().describe("Newest runs of each function that are kept. Default 20."),
  maxAge: duration.optional().describe("Older ones go, too. Default 30d."),
});

const cacheLocation = z.string().superRefine((text, context) => {
  try {
    parseCacheLocation(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});

const cache = z.strictObject({
  from: z
    .array(cacheLocation)
    .optional()
    .describe("Caches to read, e.g. type=registry,ref=registry.example/app:cache."),
  to: z.array(cacheLocation).optional().describe("Caches to write when a command ends; `watch` writes none."),
});

const publish = z.strictObject({
  image: z.string().optional().describe("Repository and tag to publish to."),
  platforms: z.array(platform).min(1).optional(),
  title: z.string().optional(),
  source: z.string().optional().describe("URL of the repository, for the label org.opencontainers.image.source."),
  licenses: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
});

const scan = z.strictObject({
  format: z.enum(["spdx", "cyclonedx"]).optional(),
  advisories: z.string().optional().describe("File in the project or URL of the advisory list (OSV JSON)."),
  severity: z
    .enum(["low", "medium", "high", "critical"])
    .optional()
    .describe("From here on a finding fails. Default: high."),
  ignore: z.array(z.string()).optional().describe("Advisories that were judged and accepted, by id."),
  tool: z
    .strictObject({ image: z.string().min(1), packages: z.array(z.string().min(1)).optional(), run: oneOrMore })
    .optional()
    .describe(
      "A scanner in place of ours: the image's files are at /image, the SBOM is /sbom.json; a failing command fails the scan.",
    ),
});

const extension = (what: string, ...names: [string, string]): z.ZodOptional<z.ZodString> =>
  z
    .string()
    .max(500)
    .regex(new RegExp(`^(${names.join("|")}|\\.{1,2}/.+)$`), `${names.join(", ")}, or a file of the project as ./FILE`)
    .optional()
    .describe(
      `${what}: ${names[0]} (the default), ${names[1]}, or a file of the project that imports from node: alone.`,
    );
const extensions = z.strictObject({
  diff: extension("How `fastloop diff` finds operations again", "set", "edit"),
  cache: extension("Where results of calls are kept", "disk", "memory"),
  resources: extension("What decides whether one more function may start", "simple", "cgroup"),
});

export const configSchema = z
  .strictObject({
    version: z.literal(1).describe("The version of this format."),
    name: name.optional().describe("The project's name in images and reports. Default: project."),
    module: relativePath
      .optional()
      .describe(
        "Folder of the Dagger module, or `fastloop` for the one that fastloop brings. Default: the nearest dagger.json upwards.",
      ),
    engine: engine.optional(),
    cache: cache.optional(),
    watch: watch.optional(),
    records: records
      .optional()
      .describe("How long .fastloop/runs keeps records and logs; the last success of a function always stays."),
    images: images.optional(),
    tests: tests.optional(),
    services: services.optional().describe("What `fastloop up` runs, besides the module's `@up()` functions."),
    local: local
      .optional()
      .describe("Processes of this machine that `fastloop up` runs beside the services; they need your trust."),
    up: up.optional().describe("How `fastloop up` treats a service, whoever describes it."),
    publish: publish.optional(),
    scan: scan.optional(),
    extensions: extensions
      .optional()
      .describe("Programs of the project in the place of what fastloop brings; they need your trust."),
    deploy: deploy.optional().describe("Where the project goes, and what of it."),
  })
  .describe("fastloop.yaml");
