/**
 * Shows what an engine does during a call, on stderr: a few live lines on a terminal; elsewhere a line for each
 * finished step, and now and then one for a step that takes long.
 */
import type { EngineEvent } from "../../engine/index.ts";
import { duration, shortName, StepLines } from "../../report/index.ts";
import { outputText, printable } from "../../text/index.ts";

/** Number of running steps shown at once. */
const shownSteps = 8;
const redrawMs = 80;
/** Without live lines, running steps are reported at this interval. */
const heartbeatMs = 30_000;

export interface ProgressOptions {
  stream: NodeJS.WriteStream;
  colors: boolean;
  /** Whether to show the output of commands as it comes. */
  verbose: boolean;
  /** Selects steps, by name, whose stderr is for the user: it is shown as it comes, as lines of its own. */
  speaks?: (name: string) => boolean;
  /** Disables live lines, because others write to the terminal as well. */
  isPlain?: boolean;
}

/** Writes progress to a stream from its creation until `stop`. */
export class Progress {
  private readonly options: ProgressOptions;
  private readonly live: boolean;
  /** Done steps that were printed: two requests of a call that wait for the same step both report it. */
  private readonly told = new Set<string>();
  private readonly running = new Map<string, { name: string; startedMs: number }>();
  private readonly output = new StepLines();
  /** Lines of the steps in `speaking`, without the steps' names. */
  private readonly spoken = new StepLines();
  private readonly speaking = new Set<string>();
  private drawnLines = 0;
  private timer: NodeJS.Timeout | undefined;
  /** Lines held back while a program in a container has the terminal. */
  private waiting: string[] | undefined;

  constructor(options: ProgressOptions) {
    this.options = options;
    this.live = options.stream.isTTY && process.env.TERM !== "dumb" && options.isPlain !== true;
    this.timer = (
      this.live ? setInterval(() => this.redraw(), redrawMs) : setInterval(() => this.printRunning(), heartbeatMs)
    ).unref();
  }

  /** Shows `what` as a running step while `work` is pending. */
  async during<T>(what: string, work: Promise<T>): Promise<T> {
    this.running.set(what, { name: what, startedMs: performance.now() });
    try {
      return await work;
    } finally {
      this.running.delete(what);
    }
  }

  event(event: EngineEvent): void {
    if (this.options.verbose) for (const line of this.output.lines(event)) this.print(line);
    else this.speak(event);
    switch (event.kind) {
      case "step-started":
        this.running.set(event.step, { name: event.name, startedMs: performance.now() });
        break;
      case "step-done":
        this.running.delete(event.step);
        this.done(event);
        break;
      case "notice":
        this.print(event.text);
        break;
      case "log":
        break;
    }
  }

  private speak(event: EngineEvent): void {
    if (event.kind === "step-started" && this.options.speaks?.(event.name) === true) this.speaking.add(event.step);
    const isSpoken =
      (event.kind === "log" && event.stream === "stderr" && this.speaking.has(event.step)) ||
      (event.kind === "step-done" && this.speaking.delete(event.step));
    if (isSpoken) for (const line of this.spoken.lines(event)) this.print(line);
  }

  /** Prints a line above the live ones. */
  print(text: string): void {
    if (this.waiting !== undefined) return void this.waiting.push(text);
    this.erase();
    this.options.stream.write(`${outputText(text)}\n`);
  }

  /** Erases the live lines and leaves the terminal to another program. */
  hold(): void {
    this.erase();
    this.waiting ??= [];
  }

  /** Takes the terminal back and prints the lines that were held back. */
  release(): void {
    const lines = this.waiting ?? [];
    this.waiting = undefined;
    for (const line of lines) this.print(line);
  }

  /** Stops, leaving no live line behind. */
  stop(): void {
    clearInterval(this.timer);
    this.release();
    this.erase();
  }

  private done(event: Extract<EngineEvent, { kind: "step-done" }>): void {
    // Only `-v` reports cached steps.
    if (event.cached && !this.options.verbose && event.error === undefined) return;
    const key = `${event.step} ${event.durationMs}`;
    if (this.told.has(key)) return;
    this.told.add(key);
    const [mark, color] = event.error !== undefined ? ["✘", 31] : event.cached ? ["=", 2] : ["✔", 32];
    const time = event.cached ? "cached" : duration(event.durationMs);
    this.print(
      `${this.paint(mark, color)} ${this.options.verbose ? printable(event.name) : shortName(event.name)} ${this.paint(time, 2)}`,
    );
  }

  private printRunning(): void {
    for (const { name, startedMs } of [...this.running.values()].slice(-shownSteps)) {
      const runningMs = performance.now() - startedMs;
      if (runningMs >= heartbeatMs / 2)
        this.print(`${this.paint("●", 33)} ${shortName(name)} ${this.paint(duration(runningMs), 2)}`);
    }
  }

  private redraw(): void {
    if (this.waiting !== undefined) return;
    this.erase();
    const steps = [...this.running.values()];
    const width = (this.options.stream.columns || 80) - 1;
    const lines = steps.slice(-shownSteps).map(({ name, startedMs }) => {
      const time = duration(performance.now() - startedMs);
      return `${this.paint("●", 33)} ${shortName(name, Math.max(10, width - time.length - 4))} ${this.paint(time, 2)}`;
    });
    if (lines.length === 0) return;
    this.options.stream.write(`${lines.join("\n")}\n`);
    this.drawnLines = lines.length;
  }

  private erase(): void {
    if (this.drawnLines > 0) this.options.stream.write(`\u001b[${this.drawnLines}A\u001b[0J`);
    this.drawnLines = 0;
  }

  private paint(text: string, code: number): string {
    return this.options.colors ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}
