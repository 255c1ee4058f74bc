import type { EngineSession, TreeSync } from "../engine/index.ts";
import type { RuntimeLog, FunctionRuntime, ModuleInfo } from "../module/index.ts";

/** An open session with a function runtime for the module's bodies. */
export interface WarmEngine {
  session: EngineSession;
  runtime: FunctionRuntime;
  module: ModuleInfo;
  /** Snapshots of host trees in this session. */
  trees: TreeSync;
  /** Subscribes to the output of bodies, tagged by call; returns the function that unsubscribes. */
  onLog(listener: (log: RuntimeLog) => void): () => void;
}

/** Distributes one stream of logs to several listeners. */
export class LogFan {
  private readonly listeners = new Set<(log: RuntimeLog) => void>();

  /** Returns the function that unsubscribes. */
  add(listener: (log: RuntimeLog) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  emit(log: RuntimeLog): void {
    for (const listener of this.listeners) listener(log);
  }
}
