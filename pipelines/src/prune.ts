import type { Lock } from "./lock.ts";
import { RegistryClient } from "./registry-client.ts";
import type { RegistrySend } from "./registry-client.ts";
import { planRetention } from "./retention.ts";

export interface PruneOptions {
  /** How many of the newest images to keep. */
  keep: number;
  lock: Lock;
  /** Tags whose images are kept, however old: those of the current description. */
  named?: readonly string[];
  dryRun: boolean;
  auth?: { username: string; password: string };
  /** Sends HTTP requests; default: `fetch`. */
  send?: RegistrySend;
}

/** Deletes old images from a repository, unless `dryRun`, and returns a report of what was or would be deleted. */
export async function pruneRegistry(
  repository: string,
  { keep, lock, named = [], dryRun, auth, send }: PruneOptions,
): Promise<string> {
  const client = new RegistryClient(repository, auth, send);
  const locked = lock.base?.ref.split("@")[1];
  const pinnedDigests = locked === undefined ? [] : [locked];
  const content = await client.content(pinnedDigests);
  const kept = [...pinnedDigests, ...named.flatMap((tag) => content.tags[tag] ?? [])];
  const plan = planRetention(content, keep, kept);
  if (!dryRun) for (const digest of plan.remove) await client.remove(digest);
  const verb = dryRun ? "would delete" : "deleted";
  const lines = [`kept ${plan.keep.length} images, ${verb} ${plan.remove.length} manifests`];
  if (plan.removedTags.length > 0) lines.push(`tags removed: ${plan.removedTags.toSorted().join(", ")}`);
  return `${[...lines, ...plan.remove.map((digest) => `${verb} ${digest}`)].join("\n")}\n`;
}
