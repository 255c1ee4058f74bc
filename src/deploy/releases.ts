import { gunzipSync, gzipSync } from "node:zlib";
import * as z from "zod/mini";
import { printable } from "../text/index.ts";
import { parentName } from "./apply/applyset.ts";
import { isConflict, isMissing, listAll } from "./cluster/client.ts";
import type { Cluster } from "./cluster/client.ts";
import { objectSchema, textAt } from "./objects/objects.ts";
import { DeployError, refuse } from "./objects/problem.ts";

/**
 * State of a release. `pending` is being deployed, or its deploy was killed: the lease tells which.
 *
 *   pending ──▶ deployed
 *      │  └───▶ failed        (applied in part or as a whole, not ready)
 *      └──────▶ interrupted   (found pending by the next deploy)
 */
export type Outcome = "pending" | "deployed" | "failed" | "interrupted";

const recordSchema = z.looseObject({
  version: z.literal(1),
  app: z.string(),
  release: z.int().check(z.positive()),
  environment: z.string(),
  cluster: z.string(),
  at: z.string(),
  by: z.string(),
  revision: z.optional(z.string()),
  images: z.array(z.string()),
  rollbackTo: z.optional(z.int().check(z.positive())),
  /** Command that was run instead of applying manifests. */
  command: z.optional(z.string()),
  manifests: z.array(z.object({ object: objectSchema, place: z.string() })),
});
/** What was deployed, when, by whom and from which commit. Stored in a Secret, as manifests may contain secrets. */
export type ReleaseRecord = z.infer<typeof recordSchema>;

export interface Release {
  record: ReleaseRecord;
  outcome: Outcome;
  /** Why the release failed. */
  why?: string;
}

const type = "fastloop.dev/release.v1";
const appLabel = "fastloop.dev/app";
const outcomeLabel = "fastloop.dev/outcome";
const whyAnnotation = "fastloop.dev/why";
/** The API server's limit for one Secret, less the rest of the object. */
const largestBytes = 1_000_000;
/** Limit for unpacking. Real records are small, but anyone may have written the Secret. */
const largestUnpacked = 256 * 1024 * 1024;

const secretsPath = (namespace: string): string => `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
const nameOfRelease = (app: string, release: number): string => `${parentName(app)}-r${release}`;

/**
 * Returns all releases of an app, newest first. A Secret that can't be read as a release is left out, with a notice.
 */
export async function readReleases(
  cluster: Cluster,
  app: string,
  namespace: string,
  onNotice: (text: string) => void = () => {},
): Promise<Release[]> {
  const query = { labelSelector: `${appLabel}=${app}`, fieldSelector: `type=${type}` };
  const secrets = await listAll(cluster, secretsPath(namespace), query);
  const releases = secrets.flatMap((secret) => {
    const release = parseRelease(secret);
    const isOurs =
      release?.record.app === app && textAt(secret, "metadata", "name") === nameOfRelease(app, release.record.release);
    if (isOurs) return [release];
    onNotice(
      `the Secret ${printable(textAt(secret, "metadata", "name") ?? "")} is no release that can be read; left alone`,
    );
    return [];
  });
  return releases.toSorted((a, b) => b.record.release - a.record.release);
}

function parseRelease(secret: unknown): Release | undefined {
  const outcome = z
    .enum(["pending", "deployed", "failed", "interrupted"])
    .safeParse(textAt(secret, "metadata", "labels", outcomeLabel));
  const packed = textAt(secret, "data", "record");
  if (!outcome.success || packed === undefined) return undefined;
  try {
    const text = gunzipSync(Buffer.from(packed, "base64"), { maxOutputLength: largestUnpacked }).toString("utf8");
    const record = recordSchema.parse(JSON.parse(text));
    const why = textAt(secret, "metadata", "annotations", whyAnnotation);
    return { record, outcome: outcome.data, why: why === undefined ? undefined : printable(why) };
  } catch {
    return undefined;
  }
}

/**
 * Returns the record as it is stored. Throws a refusal when it is too large for a Secret; called before anything is
 * applied.
 */
export function packRecord(record: ReleaseRecord): string {
  const packed = gzipSync(JSON.stringify(record));
  if (packed.length > largestBytes) {
    throw refuse(
      `${record.app}: its manifests are ${packed.length} bytes when packed, and a release may have ${largestBytes}: ` +
        "make two apps of it, or move large files out of ConfigMaps",
    );
  }
  return packed.toString("base64");
}

/** Stores a release as pending. Throws when another deploy took the number first: no two releases share one. */
export async function createRelease(cluster: Cluster, namespace: string, record: ReleaseRecord): Promise<void> {
  const body = {
    apiVersion: "v1",
    kind: "Secret",
    type,
    metadata: {
      name: nameOfRelease(record.app, record.release),
      namespace,
      labels: { [appLabel]: record.app, [outcomeLabel]: "pending" satisfies Outcome },
    },
    data: { record: packRecord(record) },
  };
  try {
    await cluster.request("POST", secretsPath(namespace), { body, query: { fieldManager: "fastloop" } });
  } catch (error) {
    if (!isConflict(error)) throw error;
    // The request may have been sent twice because the first answer was lost.
    const there = parseRelease(await cluster.get(`${secretsPath(namespace)}/${body.metadata.name}`));
    if (there?.outcome !== "pending" || there.record.at !== record.at)
      throw new DeployError("failed", `another deploy of ${record.app} made release ${record.release} meanwhile`);
  }
}

/** Stores the outcome of a release, and `why` (cut to 2000 characters). */
export async function setOutcome(
  cluster: Cluster,
  namespace: string,
  { app, release }: Pick<ReleaseRecord, "app" | "release">,
  outcome: Outcome,
  why?: string,
): Promise<void> {
  await cluster.request("PATCH", `${secretsPath(namespace)}/${nameOfRelease(app, release)}`, {
    contentType: "application/merge-patch+json",
    body: {
      metadata: { labels: { [outcomeLabel]: outcome }, annotations: { [whyAnnotation]: why?.slice(0, 2000) ?? null } },
    },
  });
}

/** Deletes the oldest releases, except the newest deployed one, which a rollback needs. */
export async function trimReleases(
  cluster: Cluster,
  app: string,
  namespace: string,
  keep: number,
  releases: readonly Release[],
): Promise<void> {
  const last = releases.find(({ outcome }) => outcome === "deployed");
  for (const each of releases.slice(keep)) {
    if (each === last) continue;
    try {
      await cluster.request("DELETE", `${secretsPath(namespace)}/${nameOfRelease(app, each.record.release)}`);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

/**
 * Throws a refusal for a release that a command made: no release keeps the command's inputs, so it can't be repeated.
 */
export function refuseCommand({ app, release, command, revision }: ReleaseRecord): void {
  if (command === undefined) return;
  const commit = revision === undefined ? "what it was made from" : `commit ${printable(revision)}`;
  throw refuse(`release ${release} of ${app} was made by a command, whose inputs are not kept: deploy ${commit} again`);
}

/**
 * Returns the release that `rollback` goes to: the named one, else the newest deployed one before the latest. Throws
 * when there is none.
 */
export function rollbackTarget(releases: readonly Release[], app: string, to?: number): Release {
  const named = releases.find(({ record }) => record.release === to);
  const known = releases.map(({ record, outcome }) => `${record.release} (${outcome})`).join(", ");
  if (to !== undefined) {
    if (named === undefined) throw refuse(`${app} has no release ${to}; there are: ${known === "" ? "none" : known}`);
    if (named.outcome !== "deployed") throw refuse(`release ${to} of ${app} is ${named.outcome}; there are: ${known}`);
    return named;
  }
  const found = releases.slice(1).find(({ outcome }) => outcome === "deployed");
  if (found === undefined)
    throw refuse(`${app} has no earlier release that was deployed; there are: ${known === "" ? "none" : known}`);
  return found;
}
