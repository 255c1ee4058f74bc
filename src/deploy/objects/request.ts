import * as z from "zod/mini";
import { objectSchema } from "./objects.ts";

/**
 * Where an app is deployed, and what may be done there: an entry of `deploy.environments` with all defaults filled in.
 */
export const environmentSchema = z.strictObject({
  name: z.string(),
  context: z.optional(z.string()),
  namespace: z.optional(z.string()),
  production: z.boolean(),
  /** Identity that the cluster must have: the UID of its kube-system namespace, or `ca:` and the digest of its CA. */
  cluster: z.optional(z.string()),
  /** Whether cluster-scoped objects may be applied. */
  clusterScoped: z.boolean(),
  /** Further namespaces that manifests may name. */
  namespaces: z.array(z.string()),
  prune: z.boolean(),
  forceConflicts: z.boolean(),
  onFailure: z.enum(["keep", "rollback"]),
  failFast: z.boolean(),
  timeoutMs: z.number().check(z.positive()),
  /** Number of releases kept for an app. */
  history: z.int().check(z.minimum(2)),
});
export type Environment = z.infer<typeof environmentSchema>;

export const appSchema = z.strictObject({
  name: z.string(),
  manifests: z.array(z.strictObject({ object: objectSchema, place: z.string() })),
  /** Commands that deploy and delete the app, and the folder that they run in. */
  custom: z.optional(z.strictObject({ apply: z.string(), delete: z.string(), folder: z.string() })),
});
export type App = z.infer<typeof appSchema>;

/** Request of the module's functions to the deployer. */
export const requestSchema = z.strictObject({
  action: z.enum(["check", "deploy", "diff", "rollback", "status", "undeploy"]),
  environment: environmentSchema,
  /** Context that the caller typed; it must equal the environment's if that has one. */
  context: z.optional(z.string()),
  /** Name of the production environment, typed by the user to confirm a change. */
  yes: z.optional(z.string()),
  /** Host name of a service that forwards to the user's machine, for servers on loopback. */
  host: z.optional(z.string()),
  apps: z.array(appSchema),
  /** `NAME=REFERENCE@sha256:…`, for commands. */
  images: z.optional(z.array(z.string())),
  /** Commit, for the history. */
  revision: z.optional(z.string()),
  /** Whether the report is JSON instead of text. */
  asJson: z.optional(z.boolean()),
  /** Release to roll back to. */
  to: z.optional(z.int().check(z.positive())),
});
export type Request = z.infer<typeof requestSchema>;
