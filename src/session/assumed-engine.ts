import type { LoadedConfig } from "../config/index.ts";
import { keyEnd } from "../engine/index.ts";
import { engineOptionsOf, type Trust } from "../trust/index.ts";

/** Options that decide which engine a command uses. */
export interface AskedEngine {
  engine?: string;
  buildkitHost?: string;
  environment: NodeJS.ProcessEnv;
  via?: "host" | "module";
}

/**
 * Returns the engine key that a plan assumes without starting an engine: the one of the last run, or "" if that engine
 * cannot be the requested one, so that nothing counts as up to date before the requested one has been checked.
 */
export function assumedEngine(
  last: string | undefined,
  { config, trust }: { config: LoadedConfig; trust: Trust },
  options: AskedEngine,
): string {
  // The key names what runs bodies, unless that is `host`.
  if (last?.endsWith(keyEnd(options.via)) !== true || last.includes(", bodies by ") !== (options.via === "module"))
    return "";
  const { engine, buildkitHost } = engineOptionsOf(config.config, trust, options, options.environment, () => undefined);
  const isKind = engine === "auto" || last.startsWith(engine);
  return isKind && (buildkitHost === undefined || last.includes(buildkitHost)) ? last : "";
}
