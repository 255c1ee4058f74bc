import type { Channel } from "../connection/channel.ts";
import { entitlementsOf } from "../gateway/entitlements.ts";
import { Gateway } from "../gateway/gateway.ts";
import type { ResultOwner } from "../gateway/results.ts";
import type { CacheEntry } from "../types.ts";
import type { Definition } from "../../llb/types.ts";

/** Solves all definitions as results of one build, whose cache the daemon then exports. */
export async function exportCache(
  channel: Channel,
  owner: ResultOwner,
  definitions: readonly Definition[],
  cache: CacheEntry,
  signal: AbortSignal,
): Promise<void> {
  const cacheImports = await owner.cacheImports?.();
  const options = { ...owner.options, cacheImports, cacheExports: [cache], entitlements: entitlementsOf(definitions) };
  const gateway = new Gateway(channel, options, () => undefined);
  owner.running.add(gateway);
  try {
    const refs: Record<string, { id: string }> = {};
    for (const [index, definition] of definitions.entries()) {
      const result = await gateway.solve(definition, signal);
      if (result !== undefined) refs[String(index)] = result;
    }
    // BuildKit requires a platform for each of several results. The exported cache does not contain it.
    const platforms = Object.keys(refs).map((ID) => ({ ID, Platform: { os: "linux", architecture: "amd64" } }));
    await gateway.finish(
      { refs: { refs }, metadata: { "refs.platforms": Buffer.from(JSON.stringify({ Platforms: platforms })) } },
      signal,
    );
    await gateway.status.done;
  } catch (error) {
    void gateway.abort();
    throw error;
  } finally {
    owner.running.delete(gateway);
  }
}
