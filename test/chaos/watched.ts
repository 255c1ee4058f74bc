/** `fastloop watch` as a process, and what it has said: the only thing that chaos knows of it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";

interface Line {
  event: string;
  name?: string;
  digest?: string;
  outcome?: string;
  fresh?: boolean;
  value?: string;
  text?: string;
  look?: string;
  affected?: { name: string; digest: string }[];
  at?: string;
  tookMs?: number;
  durationMs?: number;
  current?: string[];
  failed?: string[];
  blocked?: string[];
}

/** An edit about which nothing is said for so long was missed; the slow timer's rescue would come later. */
export const missedAfterMs = 58_000;

/** What is written while the timer's look is made, or waits for another, is found by it before its own hint is taken. */
const longestLookMs = 5000;

/** What all runs of one project have shown, over restarts of the watch. */
export class History {
  /** `name digest` of results that are of a known state and passed. */
  readonly passed = new Set<string>();
  /** Name -> values that passed, and when the last run began that gave it. */
  readonly values = new Map<string, Map<string, number>>();
  /** Results whose record may not be on disk yet, were the process killed now. */
  unrecorded: string[] = [];
  readonly needless: string[] = [];
  /** What only the look of every minute has found: the edit itself was missed. */
  readonly missed: string[] = [];
  readonly looks: Record<string, number> = {};
  /** `name digest` of what the last look found affected. */
  planned: ReadonlySet<string> = new Set();
  /** When the last edit was made, where no other is under way. */
  restsSinceMs = Number.POSITIVE_INFINITY;
  runs = 0;
  cancelled = 0;
  moved = 0;
  settled = 0;
  restarts = 0;
}

export class Watched {
  readonly notices: string[] = [];
  /** Names that started, in order. */
  readonly started: string[] = [];
  readonly broken: string[] = [];
  stderr = "";
  /** The newest `settled` line, undefined from the first sign of something new. */
  settled: Line | undefined;
  /** How often all was settled. */
  settledTimes = 0;
  private lines = 0;
  private readonly tail: string[] = [];
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;
  private readonly history: History;
  private waiters: (() => void)[] = [];

  /** `launcher` is a program that starts the one it is given, e.g. under other limits. */
  constructor(cliFile: string, cwd: string, history = new History(), launcher: readonly string[] = []) {
    this.history = history;
    history.restarts++;
    const [program, ...words] = [...launcher, process.execPath, cliFile, "watch", "--json", "--engine", "embedded"];
    this.child = spawn(program, words, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    this.exited = once(this.child, "exit");
    void this.exited.then(() => this.wake());
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    createInterface({ input: this.child.stdout! }).on("line", (text) => {
      this.take(JSON.parse(text) as Line);
      this.wake();
    });
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async kill(name: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(name);
    await this.exited;
    for (const key of this.history.unrecorded) this.history.passed.delete(key);
    this.history.unrecorded = [];
  }

  /** Waits until what was said so far satisfies `holds`; false when it says nothing for `silenceMs` without that. */
  async until(holds: () => boolean, silenceMs: number): Promise<boolean> {
    let lines = this.lines;
    let endMs = performance.now() + silenceMs;
    while (!holds()) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`the watch ended by itself: ${this.stderr}\n${this.last()}`);
      // On a busy machine everything takes longer, but not for ever.
      if (this.lines !== lines) [lines, endMs] = [this.lines, performance.now() + silenceMs];
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return true;
  }

  /** The newest lines, for a report of what went wrong. */
  last(): string {
    return this.tail.join("\n");
  }

  private take(line: Line): void {
    const { history } = this;
    this.lines++;
    if (line.event !== "step" && line.event !== "output") {
      this.tail.push(JSON.stringify(line).slice(0, 400));
      if (this.tail.length > 40) this.tail.shift();
    }
    const key = `${line.name} ${line.digest}`;
    switch (line.event) {
      case "planned":
        history.looks[line.look!] = (history.looks[line.look!] ?? 0) + 1;
        if (line.look === "timer" && Date.parse(line.at!) - line.tookMs! - longestLookMs > history.restsSinceMs)
          for (const { name, digest } of line.affected!)
            if (!history.planned.has(`${name} ${digest}`)) history.missed.push(name);
        // What waits or runs is affected in every look until it has ended; what was so before that may be missed again.
        history.planned = new Set(line.affected!.map(({ name, digest }) => `${name} ${digest}`));
        break;
      case "started":
        history.runs++;
        this.started.push(line.name!);
        this.settled = undefined;
        if (history.passed.has(key)) history.needless.push(key);
        break;
      case "finished":
        if (line.outcome === "cancelled") history.cancelled++;
        else if (line.fresh !== true) history.moved++;
        if (line.outcome === "passed" && line.fresh === true) {
          history.passed.add(key);
          history.unrecorded.push(key);
          const values = history.values.get(line.name!) ?? new Map<string, number>();
          const startedMs = Date.parse(line.at!) - line.durationMs!;
          history.values.set(line.name!, values.set(line.value ?? "", startedMs));
        }
        break;
      case "settled":
        history.settled++;
        this.settledTimes++;
        history.unrecorded = [];
        this.settled = line;
        break;
      case "notice":
        this.notices.push(line.text!);
        break;
      case "broken":
        this.broken.push(JSON.stringify(line));
        this.settled = undefined;
        break;
      default:
    }
  }

  private wake(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}
