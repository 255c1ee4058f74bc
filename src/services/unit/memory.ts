/** Reports the memory that a service's container uses, and has the kernel enforce its limit. */
import { setTimeout } from "node:timers/promises";
import type { EngineSession } from "../../engine/index.ts";
import { size } from "../../text/index.ts";
import type { UnitOptions } from "../types.ts";
import type { State } from "./state.ts";

/** Interval of queries until the container's first process exists. */
const firstLookMs = 50;
/** Interval of reading the memory in use. */
const lookMs = 3_000;
/** Exit code of a process that SIGKILL ended, as the kernel does when memory runs out. */
const killed = 137;

export class Memory {
  private readonly options: Pick<UnitOptions, "session" | "emit">;
  private readonly state: State;
  private following = new AbortController();
  private hasToldUnbounded = false;

  constructor(options: Pick<UnitOptions, "session" | "emit">, state: State) {
    this.options = options;
    this.state = state;
  }

  /** Follows a container from its start on, until the next `follow` or `stop`. */
  follow(serviceId: string): void {
    this.stop();
    const { signal } = (this.following = new AbortController());
    void this.look(serviceId, signal);
  }

  stop(): void {
    this.following.abort();
    this.state.uses(undefined);
  }

  /** Returns the reason, with a remark when the memory limit may have caused the end. */
  explained(reason: string): string {
    const limit = this.state.status.memoryLimitBytes;
    if (limit === undefined || !reason.includes(`exit code: ${killed}`)) return reason;
    return `${reason}: killed, as what wants more than its ${size(limit)} of memory is`;
  }

  private async look(serviceId: string, signal: AbortSignal): Promise<void> {
    const { session, emit } = this.options;
    const { name, memoryLimitBytes: limit } = this.state.status;
    const ask = (bytes?: number): ReturnType<NonNullable<EngineSession["serviceMemory"]>> =>
      session.serviceMemory?.(serviceId, bytes).catch(() => undefined) ?? Promise.resolve(undefined);
    let memory = await ask(limit);
    while (memory === undefined && session.serviceMemory !== undefined && !signal.aborted) {
      // The container is being built, or the machine has no such accounting; in the second case the service becomes
      // healthy.
      if (this.state.phase === "healthy") break;
      await pause(firstLookMs, signal);
      memory = await ask(limit);
    }
    if (signal.aborted) return;
    if (memory === undefined && limit !== undefined && !this.hasToldUnbounded) {
      this.hasToldUnbounded = true;
      emit({ kind: "notice", text: `${name}: this engine bounds no memory; \`memory\` is not held` });
    }
    for (let kills = memory?.kills ?? 0; memory !== undefined && !signal.aborted; memory = await ask()) {
      this.state.uses(memory.usedBytes);
      if (memory.kills > kills && limit !== undefined)
        emit({ kind: "notice", text: `${name}: a process of it was killed: it wanted more than ${size(limit)}` });
      kills = memory.kills;
      await pause(lookMs, signal);
    }
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal, ref: false }).catch(() => undefined);
