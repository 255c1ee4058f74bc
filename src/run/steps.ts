import type { EngineEvent } from "../engine/types.ts";

export type StepEvent = Extract<EngineEvent, { kind: "step-started" | "step-done" }>;

/** The engine's steps of one run: how many there were, and which it is in; a timeout or a heartbeat names that one. */
export class Steps {
  total = 0;
  cached = 0;
  private readonly done = new Set<string>();
  private readonly open = new Map<string, string>();
  private readonly waiters: (() => void)[] = [];

  note(event: StepEvent): void {
    if (event.kind === "step-started") this.open.set(event.step, event.name);
    else {
      this.open.delete(event.step);
      this.count(event.step, event.cached);
    }
    if (this.open.size === 0) for (const resolve of this.waiters.splice(0)) resolve();
  }

  /** The one that started last of those that have not ended. */
  get newest(): string | undefined {
    return [...this.open.values()].at(-1);
  }

  /** Resolves when none is open: the containers of a cancelled run are gone. Not later than after `limitMs`. */
  async untilNone(limitMs: number): Promise<void> {
    if (this.open.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)));
    await Promise.race([limit, new Promise<void>((resolve) => this.waiters.push(resolve))]);
    clearTimeout(timer);
  }

  /** Two requests that wait for the same step both tell of it. */
  private count(step: string, cached: boolean): void {
    if (this.done.has(step)) return;
    this.done.add(step);
    this.total++;
    if (cached) this.cached++;
  }
}
