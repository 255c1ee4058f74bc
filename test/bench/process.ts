import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds since the epoch with sub-millisecond digits: comparable with `date +%s%N` of another process. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

export interface OutputLine {
  text: string;
  /** `nowMs` of its arrival. */
  atMs: number;
}

export interface Command {
  file: string;
  args: readonly string[];
  cwd: string;
  env?: Record<string, string>;
}

/** Programs that still run: none of them outlives the benchmark, however that ends. */
const running = new Set<RunningProgram>();
process.once("exit", () => {
  for (const program of running) program.kill();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

/** A program in a process group of its own, with the time of each line that it printed. */
export class RunningProgram {
  readonly startedAtMs: number;
  readonly lines: OutputLine[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<number>;
  #exitCode: number | undefined;
  #wake: (() => void)[] = [];

  constructor(command: Command) {
    this.startedAtMs = nowMs();
    this.#child = spawn(command.file, command.args, {
      cwd: command.cwd,
      env: { ...process.env, ...command.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    running.add(this);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (text) => {
        this.lines.push({ text, atMs: nowMs() });
        this.#notify();
      });
    }
    this.#exited = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code) => {
        this.#exitCode = code ?? -1;
        running.delete(this);
        this.#notify();
        resolve(this.#exitCode);
      });
    });
    this.#exited.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  exited(): Promise<number> {
    return this.#exited;
  }

  /** The first line from index `from` on that `accept` takes; throws when the program ends or `timeoutMs` pass first. */
  async waitFor(accept: (text: string) => boolean, timeoutMs: number, from = 0): Promise<OutputLine> {
    const deadline = nowMs() + timeoutMs;
    let next = from;
    for (;;) {
      for (; next < this.lines.length; next++) {
        const line = this.lines[next];
        if (line !== undefined && accept(line.text)) return line;
      }
      if (this.#exitCode !== undefined) throw new Error(`ended with ${this.#exitCode} instead\n${this.tail()}`);
      const leftMs = deadline - nowMs();
      if (leftMs <= 0) throw new Error(`nothing of the kind in ${timeoutMs} ms\n${this.tail()}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  tail(count = 15): string {
    return this.lines
      .slice(-count)
      .map((line) => line.text.slice(0, 300))
      .join("\n");
  }

  /** SIGINT to the group, as Ctrl-C; SIGKILL after 5 s. */
  async stop(): Promise<void> {
    if (this.#exitCode === undefined) {
      this.#signal("SIGINT");
      const timer = setTimeout(() => this.#signal("SIGKILL"), 5_000);
      await this.#exited.catch(() => {});
      clearTimeout(timer);
    }
    this.kill();
  }

  /** SIGKILL to whatever is left of the group. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // The group is gone already.
    }
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const call of wake) call();
  }
}

/** Runs to the end; wall time in milliseconds and all output. Throws on a non-zero exit code. */
export async function runToEnd(command: Command): Promise<{ durationMs: number; text: string }> {
  const program = new RunningProgram(command);
  const code = await program.exited();
  const durationMs = nowMs() - program.startedAtMs;
  if (code !== 0) throw new Error(`${command.file} ${command.args.join(" ")} ended with ${code}\n${program.tail()}`);
  return { durationMs, text: program.lines.map((line) => line.text).join("\n") };
}

interface ProcessUse {
  residentMB: number;
  /** CPU time since the process began. */
  cpuMs: number;
}

const clockTicksPerSecond = 100;
const pageBytes = 4096;

function useOf(pid: number): ProcessUse | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { cpuMs: (ticks / clockTicksPerSecond) * 1000, residentMB: (Number(fields[21]) * pageBytes) / 1e6 };
  } catch {
    return undefined;
  }
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 0;
  }
}

/** The process, its descendants, and whatever else has its working directory at `cwd` (a tool's daemon). */
export function family(root: number, cwd: string): number[] {
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const parents = new Map(pids.map((pid) => [pid, parentOf(pid)]));
  const descends = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (at === root) return true;
    return false;
  };
  const sitsIn = (pid: number): boolean => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === cwd;
    } catch {
      return false;
    }
  };
  return pids.filter((pid) => pid !== process.pid && (descends(pid) || sitsIn(pid)));
}

export interface IdleUse {
  residentMB: number;
  /** Of one core. */
  cpuPercent: number;
}

/** Memory and CPU of the processes over an idle period. */
export async function idleUse(pids: readonly number[], periodMs: number): Promise<IdleUse> {
  const total = (): ProcessUse => {
    const uses = pids.map(useOf).filter((use) => use !== undefined);
    return { residentMB: sum(uses.map((use) => use.residentMB)), cpuMs: sum(uses.map((use) => use.cpuMs)) };
  };
  const before = total();
  const startMs = nowMs();
  await sleep(periodMs);
  const after = total();
  return { residentMB: after.residentMB, cpuPercent: ((after.cpuMs - before.cpuMs) / (nowMs() - startMs)) * 100 };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
