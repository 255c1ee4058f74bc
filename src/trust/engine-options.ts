import { durationMs, sizeBytes, type Config } from "../config/index.ts";
import type { EngineLimits } from "../engine/types.ts";
import { engineAsk } from "./asks-of-config.ts";
import { describeAsk } from "./describe.ts";
import type { Trust } from "./trust.ts";

/** Engine that a command uses, and how long an engine that it starts waits for the next session. */
export interface EngineChoiceOptions {
  engine: string;
  buildkitHost?: string;
  idleMs?: number;
  /** Resources that the session's containers may use together, if declared. */
  limits?: EngineLimits;
}

/**
 * Decides the engine once for each command, whether it runs, watches, calls or opens a session: what the command line
 * or the environment names, else `engine` of fastloop.yaml. An address in the configuration that the user does not
 * trust is not used, and a notice says so.
 */
export function engineOptionsOf(
  { engine: declared }: Config,
  trust: Pick<Trust, "allows">,
  named: { engine?: string; buildkitHost?: string },
  environment: NodeJS.ProcessEnv,
  onNotice: (text: string) => void,
): EngineChoiceOptions {
  const engine = named.engine ?? declared?.use ?? "auto";
  const idleIsNamed = (environment["FASTLOOP_ENGINE_IDLE"] ?? "") !== "";
  return {
    engine,
    ...buildkit(),
    ...(declared?.idle === undefined || idleIsNamed ? {} : { idleMs: durationMs(declared.idle) }),
    ...limits(),
  };

  function limits(): Pick<EngineChoiceOptions, "limits"> {
    const { containers, memory } = declared?.limits ?? {};
    if (containers === undefined && memory === undefined) return {};
    return {
      limits: {
        ...(containers === undefined ? {} : { containers }),
        ...(memory === undefined ? {} : { memoryBytes: sizeBytes(memory) }),
      },
    };
  }

  function buildkit(): Pick<EngineChoiceOptions, "buildkitHost"> {
    if (named.buildkitHost !== undefined) return { buildkitHost: named.buildkitHost };
    if (declared?.buildkit === undefined || engine === "dagger") return {};
    const ask = engineAsk(declared.buildkit);
    if (trust.allows(ask)) return { buildkitHost: declared.buildkit };
    onNotice(`${describeAsk(ask)}: it is not used, for this needs your trust (\`fastloop trust\`)`);
    return {};
  }
}
