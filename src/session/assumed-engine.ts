import type { LoadedConfig } from "../config/index.ts";
import { keyEnd } from "../engine/index.ts";
import { engineOptionsOf, type Trust } from "../trust/index.ts";

/** What decides which engine a command asks for. */
export interface AskedEngine {
  engine?: string;
  buildkitHost?: string;
  environment: NodeJS.ProcessEnv;
  via?: "host" | "module";
}

/**
 * The engine that a plan takes for granted without asking any: the one that ran last; "" where that cannot be the one that
 * is asked for, so that nothing counts as current before that one was looked at.
 */
export function assumedEngine(
  last: string | undefined,
  { config, trust }: { config: LoadedConfig; trust: Trust },
  options: AskedEngine,
): string {
  // Without the bodies' way at the end, `host`.
  if (last?.endsWith(keyEnd(options.via)) !== true || last.includes(", bodies by ") !== (options.via === "module"))
    return "";
  const { engine, buildkitHost } = engineOptionsOf(config.config, trust, options, options.environment, () => undefined);
  const isKind = engine === "auto" || last.startsWith(engine);
  return isKind && (buildkitHost === undefined || last.includes(buildkitHost)) ? last : "";
}
