import { CallMask, requirePath, runCall, type HostInput } from "../call/index.ts";
import type { TreeSync } from "../engine/index.ts";
import type { EngineEvent, EngineSession } from "../engine/types.ts";
import { UserError } from "../errors/index.ts";
import type { ArgumentInfo, HostLog, ModuleHost, ModuleInfo, ReturnedValue } from "../module/index.ts";
import { concernOf, type ProjectSnapshot, type ResolvedTarget } from "../plan/index.ts";
import type { OpenSteps } from "./open-steps.ts";
import type { RunLog } from "./run-log.ts";

/** A cancelled step that takes longer to end is not waited for: another run may share it. */
const cancelledStepsMs = 10_000;

/** A warm session with a warm process for the module's bodies. */
export interface WarmEngine {
  session: EngineSession;
  host: ModuleHost;
  module: ModuleInfo;
  /** Snapshots of host trees in this session. */
  trees: TreeSync;
  /** Output of bodies, by call. */
  onLog(listener: (log: HostLog) => void): () => void;
}

export interface ExecuteOptions {
  callId: string;
  snapshot: ProjectSnapshot;
  root: string;
  /** The project's, by which secrets are named. */
  secretKey: Uint8Array;
  environment: NodeJS.ProcessEnv;
  log: RunLog;
  signal: AbortSignal;
  onStep(event: Extract<EngineEvent, { kind: "step-started" | "step-done" }>): void;
  openSteps: OpenSteps;
  onOutput(stream: "stdout" | "stderr", text: string): void;
  onNotice(text: string): void;
}

export interface Execution {
  value: ReturnedValue;
  /** Inputs that moved between being hashed and being sent, absolute: then the result is not that of the digest. */
  moved: string[];
}

/** Runs one target's call on the very trees that were hashed for it. Throws what the body or the engine throws. */
export async function executeTarget(
  item: ResolvedTarget,
  engine: WarmEngine,
  options: ExecuteOptions,
): Promise<Execution> {
  const { session, host, module, trees } = engine;
  const { callId, signal } = options;
  const query = { callId, signal };
  const mask = new CallMask();
  const moved: string[] = [];
  const { log } = options;
  log.open();
  const output = ({ stream, text }: Pick<HostLog, "stream" | "text">): void => {
    log.write(text);
    options.onOutput(stream, text);
  };
  const told = (event: EngineEvent): void => {
    if (event.kind === "notice") return;
    if (event.kind === "log") return output(event);
    options.openSteps.note(event);
    if (event.kind === "step-done")
      log.write(`# ${event.name}${event.cached ? " (cached)" : ` ${event.durationMs} ms`}\n`);
    options.onStep(event);
  };
  const stopEvents = session.onEvent((event) => {
    if ("callId" in event && event.callId === callId) mask.event(event, told);
  });
  const stopLogs = engine.onLog((entry) => {
    if (entry.callId === callId) mask.log(entry, output);
  });
  try {
    const hostInput = async ({ kind, path }: HostInput, argument: ArgumentInfo): Promise<string> => {
      requirePath(path, kind, argument);
      if (kind === "file") return (await trees.file(path, query)).id;
      const input = item.sent.find((candidate) => candidate.of === argument && candidate.path === path);
      if (input === undefined) throw new Error(`${path} is not an input of ${item.target.name}`);
      const listing = options.snapshot.listing(input);
      const synced = await trees.directory(path, input.filter, { ...query, listing, concerns: concernOf(item, input) });
      moved.push(...synced.moved.map((file) => `${synced.listing.root}/${file}`));
      return synced.id;
    };
    const value = await runCall(item.call, {
      ...query,
      module,
      session,
      host,
      env: options.environment,
      cwd: options.root,
      secretKey: options.secretKey,
      hostInput,
      onSecret: (plaintext, name) => mask.add(plaintext, name, session, options.onNotice),
    });
    // A function that returns a secret would put it into the record of its run.
    return { value: mask.value(value), moved };
  } catch (thrown) {
    const error = mask.error(thrown);
    mask.end();
    log.writeError(error instanceof UserError ? error.format() : String(error));
    // The call is given up at once; its containers take a moment longer, and are waited for.
    if (signal.aborted) await options.openSteps.untilNone(cancelledStepsMs);
    throw error;
  } finally {
    mask.end();
    stopEvents();
    stopLogs();
  }
}

/** Opens what a run needs in one go. */
export function warmEngine(
  session: EngineSession,
  host: ModuleHost,
  module: ModuleInfo,
  trees: TreeSync,
  logs: LogFan,
): WarmEngine {
  return { session, host, module, trees, onLog: (listener) => logs.add(listener) };
}

/** Hands one stream of logs to several listeners. */
export class LogFan {
  private readonly listeners = new Set<(log: HostLog) => void>();

  add(listener: (log: HostLog) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  emit(log: HostLog): void {
    for (const listener of this.listeners) listener(log);
  }
}
