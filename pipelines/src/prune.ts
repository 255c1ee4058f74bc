import type { Lock } from "./lock.ts";
import { RegistryClient } from "./registry-client.ts";
import type { RegistrySend } from "./registry-client.ts";
import { planRetention } from "./retention.ts";

export interface PruneOptions {
  /** How many of the newest images are kept. */
  keep: number;
  lock: Lock;
  /** Tags whose images are kept, however old: what the description is published under now. */
  named?: readonly string[];
  dryRun: boolean;
  auth?: { username: string; password: string };
  send?: RegistrySend;
}

/** Plans what to delete, deletes it unless it is only asked, and says so. */
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
  if (plan.removedTags.length > 0) lines.push(`tags gone: ${plan.removedTags.toSorted().join(", ")}`);
  return `${[...lines, ...plan.remove.map((digest) => `${verb} ${digest}`)].join("\n")}\n`;
}
