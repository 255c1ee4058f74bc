import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Tool } from "./peers.ts";
import { nowMs, type RunningProgram } from "./process.ts";
import { markFile, markOfAll, packageName, type Workspace } from "./workspace.ts";

/** One run of a package's task: its first act's time and the content of `src/probe.txt` that it saw. */
export interface Mark {
  package: string;
  atMs: number;
  content: string;
}

const pollMs = 10;
const nsPerMs = 1e6;

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}

/** The marks that a running tool has left so far, in files or in its output. */
export class Marks {
  readonly #tool: Tool;
  readonly #program: RunningProgram;
  readonly #workspace: Workspace;
  /** Marks out of printed lines, read once each. */
  readonly #printed = new Map<string, Mark[]>();
  #linesRead = 0;

  constructor(tool: Tool, program: RunningProgram, workspace: Workspace) {
    this.#tool = tool;
    this.#program = program;
    this.#workspace = workspace;
  }

  of(index: number): Mark[] {
    const name = packageName(index);
    const { mark } = this.#tool.watch;
    if (mark !== undefined) {
      this.#readLines(mark);
      return this.#printed.get(name) ?? [];
    }
    return linesOf(markFile(this.#workspace, index)).map((line) => {
      const [ns = "0", content = ""] = line.split(" ");
      return { package: name, atMs: Number(ns) / nsPerMs, content };
    });
  }

  #readLines(mark: (line: string) => Mark | undefined): void {
    for (; this.#linesRead < this.#program.lines.length; this.#linesRead++) {
      const found = mark(this.#program.lines[this.#linesRead]?.text ?? "");
      if (found === undefined) continue;
      const known = this.#printed.get(found.package);
      if (known === undefined) this.#printed.set(found.package, [found]);
      else known.push(found);
    }
  }

  /** Begin of the newest run of everything, for a tool that knows of no packages. */
  startOfAllMs(): number | undefined {
    const last = linesOf(markOfAll(this.#workspace)).at(-1);
    return last === undefined ? undefined : Number(last) / nsPerMs;
  }

  /** Whether a watch that ends by itself has lost what it should have seen, instead of failing the measurement. */
  endIsLoss = false;

  /** Waits for a run of the package that `accept` takes; undefined when none came within `timeoutMs`. */
  async waitFor(
    index: number,
    accept: (marks: Mark[]) => Mark | undefined,
    timeoutMs: number,
  ): Promise<Mark | undefined> {
    const deadline = nowMs() + timeoutMs;
    for (;;) {
      const found = accept(this.of(index));
      if (found !== undefined || nowMs() > deadline) return found;
      if (this.#program.exitCode !== undefined && this.endIsLoss) return undefined;
      if (this.#program.exitCode !== undefined) throw new Error(`the watch ended by itself\n${this.#program.tail()}`);
      await sleep(pollMs);
    }
  }

  async waitForContent(index: number, content: string, timeoutMs: number): Promise<Mark | undefined> {
    return this.waitFor(index, (marks) => marks.find((mark) => mark.content === content), timeoutMs);
  }
}

/** Waits until the program has printed nothing for `quietMs`, at most `limitMs`. */
export async function quietOutput(program: RunningProgram, quietMs: number, limitMs: number): Promise<void> {
  const deadline = nowMs() + limitMs;
  let seen = -1;
  let sinceMs = nowMs();
  while (nowMs() < deadline && nowMs() - sinceMs < quietMs) {
    if (program.lines.length !== seen) {
      seen = program.lines.length;
      sinceMs = nowMs();
    }
    await sleep(pollMs);
  }
}
