import * as z from "zod";
import { objectSchema } from "./objects.ts";

/** Where an app goes, and what may be done there: an environment of `deploy.environments` with all defaults filled in. */
export const environmentSchema = z.strictObject({
  name: z.string(),
  context: z.string().optional(),
  namespace: z.string().optional(),
  production: z.boolean(),
  /** Identity that the cluster must have: the UID of its namespace kube-system, or `ca:` and the digest of its CA. */
  cluster: z.string().optional(),
  /** Whether objects outside of namespaces may be applied. */
  clusterScoped: z.boolean(),
  /** Further namespaces that manifests may name. */
  namespaces: z.array(z.string()),
  prune: z.boolean(),
  forceConflicts: z.boolean(),
  onFailure: z.enum(["keep", "rollback"]),
  failFast: z.boolean(),
  timeoutMs: z.number().positive(),
  /** How many releases of an app are kept. */
  history: z.int().min(2),
});
export type Environment = z.infer<typeof environmentSchema>;

export const appSchema = z.strictObject({
  name: z.string(),
  manifests: z.array(z.strictObject({ object: objectSchema, place: z.string() })),
  /** Deployed by commands, run in this folder. */
  custom: z.strictObject({ apply: z.string(), delete: z.string(), folder: z.string() }).optional(),
});
export type App = z.infer<typeof appSchema>;

/** What the module's functions ask the deployer for. */
export const requestSchema = z.strictObject({
  action: z.enum(["check", "deploy", "diff", "rollback", "status", "undeploy"]),
  environment: environmentSchema,
  /** As the caller typed it; must be the environment's where that has one. */
  context: z.string().optional(),
  /** The name of the production environment, typed by whoever wants it to be changed. */
  yes: z.string().optional(),
  /** Host name under which a service of the user's machine is bound, for servers on loopback. */
  host: z.string().optional(),
  apps: z.array(appSchema),
  /** `NAME=REFERENCE@sha256:…`, for commands. */
  images: z.array(z.string()).optional(),
  /** The commit, for the history. */
  revision: z.string().optional(),
  /** The report is wanted as JSON, not as text. */
  asJson: z.boolean().optional(),
  /** The release to go back to. */
  to: z.int().positive().optional(),
});
export type Request = z.infer<typeof requestSchema>;
