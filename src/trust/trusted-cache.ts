import { sharedCacheOf, type Config } from "../config/index.ts";
import { cacheAsk } from "./asks-of-config.ts";
import { describeAsk } from "./describe.ts";
import type { Trust } from "./trust.ts";
import type { Ask } from "./types.ts";

/** The shared caches of a configuration that the user allows; of each other one it is said that it is not used. */
export function trustedCacheOf(
  config: Config,
  trust: Pick<Trust, "allows">,
  onNotice: (text: string) => void,
): ReturnType<typeof sharedCacheOf> {
  const allowed = (way: "from" | "to"): string[] =>
    (config.cache?.[way] ?? []).filter((location) => {
      const ask: Ask = cacheAsk(way, location);
      if (trust.allows(ask)) return true;
      onNotice(`${describeAsk(ask)}: it is not used, for this needs your trust (\`fastloop trust\`)`);
      return false;
    });
  return sharedCacheOf({ ...config, cache: { from: allowed("from"), to: allowed("to") } });
}
