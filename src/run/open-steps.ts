import type { EngineEvent } from "../engine/types.ts";

/** The engine's steps that a run is in at the moment; what a timeout or a heartbeat names. */
export class OpenSteps {
  private readonly names = new Map<string, string>();
  private readonly waiters: (() => void)[] = [];

  note(event: Extract<EngineEvent, { kind: "step-started" | "step-done" }>): void {
    if (event.kind === "step-started") this.names.set(event.step, event.name);
    else this.names.delete(event.step);
    if (this.names.size === 0) for (const resolve of this.waiters.splice(0)) resolve();
  }

  /** The one that started last of those that have not ended. */
  get newest(): string | undefined {
    return [...this.names.values()].at(-1);
  }

  /** Resolves when none is open: the containers of a cancelled run are gone. Not later than after `limitMs`. */
  async untilNone(limitMs: number): Promise<void> {
    if (this.names.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)));
    await Promise.race([limit, new Promise<void>((resolve) => this.waiters.push(resolve))]);
    clearTimeout(timer);
  }
}
