import type { EngineEvent } from "../engine/index.ts";
import { shortName } from "./text.ts";

/** Length of a step's name before its lines: enough to tell steps apart. */
const labelChars = 48;

/**
 * Splits the output of steps into whole lines that start with the step's name, since several steps run at once, and a
 * service prints for as long as others use it.
 */
export class StepLines {
  private readonly names = new Map<string, string>();
  /** Unfinished lines, by step and stream. */
  private readonly open = new Map<string, Map<string, string>>();

  /** Returns the lines that an event completes. */
  lines(event: EngineEvent): string[] {
    switch (event.kind) {
      case "step-started":
        this.names.set(event.step, event.name);
        return [];
      case "log":
        return this.log(event.step, event.stream, event.text);
      case "step-done":
        return this.rest(event.step);
      default:
        return [];
    }
  }

  private log(step: string, stream: string, text: string): string[] {
    let streams = this.open.get(step);
    if (streams === undefined) this.open.set(step, (streams = new Map()));
    const lines = `${streams.get(stream) ?? ""}${text}`.split("\n");
    streams.set(stream, lines.pop()!);
    return lines.map((line) => this.labelled(step, line));
  }

  private rest(step: string): string[] {
    const unended = [...(this.open.get(step)?.values() ?? [])].filter((line) => line !== "");
    this.open.delete(step);
    return unended.map((line) => this.labelled(step, line));
  }

  private labelled(step: string, line: string): string {
    const name = this.names.get(step);
    return name === undefined ? line : `${shortName(name, labelChars)} | ${line}`;
  }
}
