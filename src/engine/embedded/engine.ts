/** The embedded engine as `fastloop engine start|stop|status|logs` uses it. */
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import { chooseEngine, type EngineChoice } from "../choose.ts";
import { thisMachine } from "../choose-machine.ts";
import { askDaemon, daemonStatus } from "./control.ts";
import { stopDaemon, type StopOutcome } from "./stop.ts";
import type { DaemonStatus, EngineDisk, PrunedDisk } from "../../engine-daemon/index.ts";
import { durationAt } from "../../config/index.ts";
import { idleMsOf } from "./idle.ts";
import { enginePartsOf, startEngine, stateDirOf, type EnginePart } from "./open.ts";
import type { OpenSessionOptions } from "../types.ts";

export type { DaemonStatus, EngineDisk, EnginePart, StopOutcome };
export { newVolumes, projectIdentity, volumesOf } from "./project-identity.ts";

export interface EmbeddedEngine {
  readonly stateDir: string;
  readonly logFile: string;
  /** Undefined while the daemon does not run. */
  status(onNotice?: Tell): Promise<DaemonStatus | undefined>;
  /** Starts the daemon; `idle` is a duration such as `10m`. A running daemon keeps its settings. */
  start(options: Pick<OpenSessionOptions, "onNotice" | "signal"> & { idle?: string }): Promise<DaemonStatus>;
  /** Returns what the host needs before the daemon can start. */
  parts(): EnginePart[];
  /** Returns what BuildKit's disk cache holds; undefined while the daemon does not run. */
  disk(): Promise<EngineDisk | undefined>;
  /** Releases everything that is not in use, of every project; undefined while the daemon does not run. */
  prune(): Promise<PrunedDisk | undefined>;
  /** Stops the daemon; with `force` even if sessions are open or it does not answer. */
  stop(force: boolean, onNotice?: Tell): Promise<StopOutcome>;
}

type Tell = (text: string) => void;

/** Returns the embedded engine of this user for the BuildKit address in effect. */
export async function embeddedEngine(buildkitHost?: string): Promise<EmbeddedEngine> {
  const { choice } = await chooseEngine(
    { engine: "embedded", ...(buildkitHost === undefined ? {} : { buildkitHost }) },
    thisMachine(),
  );
  if (!isEmbedded(choice)) throw new UserError("usage", `${choice.kind} is not the embedded engine`);
  const stateDir = stateDirOf(choice);
  return {
    stateDir,
    logFile: path.join(stateDir, "engine.log"),
    status: (onNotice) => daemonStatus(stateDir, { onNotice }),
    async start({ idle, ...options }) {
      const idleMs = idle === undefined ? idleMsOf(process.env) : durationAt(idle, "--idle");
      return (await daemonStatus(stateDir, options)) ?? (await startEngine(choice, options, idleMs));
    },
    parts: () => enginePartsOf(choice),
    disk: () => askDaemon<EngineDisk>(stateDir, "GET", "/disk"),
    prune: () => askDaemon<PrunedDisk>(stateDir, "POST", "/prune"),
    stop: (force, onNotice) => stopDaemon(stateDir, force, onNotice),
  };
}

function isEmbedded(choice: EngineChoice): choice is Extract<EngineChoice, { kind: `buildkit${string}` }> {
  return choice.kind === "buildkit-host" || choice.kind === "buildkitd";
}
