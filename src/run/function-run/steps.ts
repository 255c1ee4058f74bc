import { Conditions, withinMs } from "../../async/index.ts";
import type { EngineEvent } from "../../engine/types.ts";

export type StepEvent = Extract<EngineEvent, { kind: "step-started" | "step-done" }>;

/** The engine's steps of one run: how many there were, and which it is in; a timeout or a heartbeat names that one. */
export class Steps {
  total = 0;
  cached = 0;
  private readonly done = new Set<string>();
  private readonly open = new Map<string, string>();
  private readonly conditions = new Conditions();

  note(event: StepEvent): void {
    if (event.kind === "step-started") this.open.set(event.step, event.name);
    else {
      this.open.delete(event.step);
      this.count(event.step, event.cached);
    }
    this.conditions.check();
  }

  /** The one that started last of those that have not ended. */
  get newest(): string | undefined {
    return [...this.open.values()].at(-1);
  }

  /** Resolves when none is open: the containers of a cancelled run are gone. Not later than after `limitMs`. */
  async untilNone(limitMs: number): Promise<void> {
    await withinMs(
      this.conditions.until(() => this.open.size === 0),
      limitMs,
    );
  }

  /** Two requests that wait for the same step both tell of it. */
  private count(step: string, cached: boolean): void {
    if (this.done.has(step)) return;
    this.done.add(step);
    this.total++;
    if (cached) this.cached++;
  }
}
