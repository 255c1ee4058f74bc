import { cacheOfEnvironment, sharedCacheOf, type CacheLocation, type Config } from "../config/index.ts";
import { cacheAsk } from "./asks-of-config.ts";
import { describeAsk } from "./describe.ts";
import type { Trust } from "./trust.ts";
import type { Ask } from "./types.ts";

/**
 * Returns the shared caches that the user's environment names, else those in the configuration that the user allows; a
 * notice reports each other one.
 */
export function trustedCacheOf(
  config: Config,
  trust: Pick<Trust, "allows">,
  env: NodeJS.ProcessEnv,
  onNotice: (text: string) => void,
): { from: CacheLocation[]; to: CacheLocation[] } | undefined {
  const said = cacheOfEnvironment(env);
  const allowed = (way: "from" | "to"): string[] =>
    (config.cache?.[way] ?? []).filter((location) => {
      const ask: Ask = cacheAsk(way, location);
      if (trust.allows(ask)) return true;
      onNotice(`${describeAsk(ask)}: it is not used, for this needs your trust (\`fastloop trust\`)`);
      return false;
    });
  const ofConfig = (way: "from" | "to"): CacheLocation[] =>
    sharedCacheOf({ ...config, cache: { [way]: allowed(way) } })?.[way] ?? [];
  const from = said.from ?? ofConfig("from");
  const to = said.to ?? ofConfig("to");
  return from.length === 0 && to.length === 0 ? undefined : { from, to };
}
