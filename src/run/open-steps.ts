import type { EngineEvent } from "../engine/types.ts";

/** The engine's steps that a run is in at the moment; what a timeout or a heartbeat names. */
export class OpenSteps {
  private readonly names = new Map<string, string>();

  note(event: Extract<EngineEvent, { kind: "step-started" | "step-done" }>): void {
    if (event.kind === "step-started") this.names.set(event.step, event.name);
    else this.names.delete(event.step);
  }

  /** The one that started last of those that have not ended. */
  get newest(): string | undefined {
    return [...this.names.values()].at(-1);
  }
}
