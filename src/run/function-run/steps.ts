import { Conditions, withinMs } from "../../async/index.ts";
import type { EngineEvent } from "../../engine/types.ts";

export type StepEvent = Extract<EngineEvent, { kind: "step-started" | "step-done" }>;

/** The engine's steps of one run: how many there were, and the current one, which timeouts and heartbeats name. */
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

  /** The open step that started last. */
  get newest(): string | undefined {
    return [...this.open.values()].at(-1);
  }

  /** Resolves when no step is open, so the containers of a cancelled run are gone, or after `limitMs`. */
  async untilNone(limitMs: number): Promise<void> {
    await withinMs(
      this.conditions.until(() => this.open.size === 0),
      limitMs,
    );
  }

  /** Counts a step only once: two requests that wait for the same step both report it. */
  private count(step: string, cached: boolean): void {
    if (this.done.has(step)) return;
    this.done.add(step);
    this.total++;
    if (cached) this.cached++;
  }
}
