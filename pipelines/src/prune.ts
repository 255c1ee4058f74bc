import type { Lock } from "./lock.ts";
import { RegistryClient } from "./registry-client.ts";
import type { RegistrySend } from "./registry-client.ts";
import { planRetention } from "./retention.ts";

/** Plans what to delete, deletes it unless it is only asked, and says so. */
export async function pruneRegistry(
  repository: string,
  keep: number,
  lock: Lock,
  dryRun: boolean,
  auth?: { username: string; password: string },
  send?: RegistrySend,
): Promise<string> {
  const client = new RegistryClient(repository, auth, send);
  const locked = lock.base?.ref.split("@")[1];
  const pinnedDigests = locked === undefined ? [] : [locked];
  const plan = planRetention(await client.content(pinnedDigests), keep, pinnedDigests);
  if (!dryRun) for (const digest of plan.remove) await client.remove(digest);
  const verb = dryRun ? "would delete" : "deleted";
  const lines = [`kept ${plan.keep.length} images, ${verb} ${plan.remove.length} manifests`];
  if (plan.removedTags.length > 0) lines.push(`tags gone: ${plan.removedTags.toSorted().join(", ")}`);
  return `${[...lines, ...plan.remove.map((digest) => `${verb} ${digest}`)].join("\n")}\n`;
}
