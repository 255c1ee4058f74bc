/** `deploy` of `fastloop.yaml`. */
import * as z from "zod";
import { timeLimit, relativePath, patterns } from "./schema-parts.ts";

/** A name that becomes part of names in a cluster. */
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
    .describe(
      "Which cluster it must be: what `deploy-status` tells as its identity. Default: what the first deploy wrote to fastloop.lock.",
    ),
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
  custom: z
    .strictObject({
      apply: z.string().min(1).describe("Shell command that deploys the app; {env} is the environment."),
      delete: z.string().min(1).describe("Shell command that takes the app away, for `undeploy`."),
      inputs: patterns
        .min(1)
        .describe(
          "Files, folders (with `/`) and globs of the project that the commands need; {env} is the environment.",
        ),
    })
    .optional()
    .describe("Commands of the project's own in place of manifests, run in the image `tools`, which needs Node then."),
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

export const deploy = z.strictObject({
  image: z
    .string()
    .min(1)
    .optional()
    .describe("What runs the deployer: Node 20 or later. Default: node:22-bookworm-slim."),
  tools: z
    .string()
    .min(1)
    .optional()
    .describe(
      "An image with kubectl and helm, for kustomize and charts. Default: made from what package registries have.",
    ),
  environments: z.record(label, deployEnvironment),
  apps: z.record(label, deployApp),
});
