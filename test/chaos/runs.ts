/**
 * Random edits under a loop of `fastloop run`s: most runs begin, go on and end while files are edited. What a run says at its
 * end must be true of the files, and its exit code too, whenever it looked at them after the last edit.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import type { ChaosOptions } from "./story.ts";
import { Editor } from "./editor.ts";
import { ChaosProject } from "./project.ts";
import { Random } from "./random.ts";

export interface RunsResult {
  operations: number;
  /** How many commands, and of these how many had looked at the files after the last edit. */
  commands: number;
  judged: number;
  runs: number;
  stale: number;
  /** What a command said that was not true of the files; empty: nothing. */
  differences: string[];
  /** Runs on a state whose result was there already. */
  needless: string[];
}

interface Line {
  event: string;
  at: string;
  name?: string;
  digest?: string;
  outcome?: string;
  fresh?: boolean;
  value?: string;
  tookMs?: number;
  error?: { message: string };
  durationMs?: number;
  passed?: string[];
  current?: string[];
  failed?: string[];
  blocked?: string[];
}

export async function chaosOfRuns(options: ChaosOptions): Promise<RunsResult> {
  const project = new ChaosProject();
  try {
    return await new Runs(options, project).tell();
  } finally {
    if (options.keep !== true)
      for (const folder of [project.root, project.layer]) rmSync(folder, { recursive: true, force: true });
  }
}

class Runs {
  private readonly options: ChaosOptions;
  private readonly project: ChaosProject;
  private readonly random: Random;
  private readonly editor: Editor;
  /** `name digest` of results that passed on files that stood still. */
  private readonly passed = new Set<string>();
  private readonly values = new Map<string, Map<string, number>>();
  private readonly result: RunsResult = {
    operations: 0,
    commands: 0,
    judged: 0,
    runs: 0,
    stale: 0,
    differences: [],
    needless: [],
  };

  constructor(options: ChaosOptions, project: ChaosProject) {
    this.options = options;
    this.project = project;
    this.random = new Random(options.seed);
    this.editor = new Editor(project, this.random);
  }

  async tell(): Promise<RunsResult> {
    const { result } = this;
    while (result.operations < this.options.operations && result.differences.length === 0) {
      await this.run(true);
      if (this.random.below(4) === 0) this.edit();
      if (this.random.below(3) === 0) await this.run(false);
      if (result.commands % 25 === 0)
        this.options.note(`${result.operations} operations, ${result.commands} commands, ${result.runs} runs`);
    }
    await this.run(false);
    return result;
  }

  private edit(): void {
    this.editor.step();
    this.result.operations++;
  }

  /** One command; with `beside`, edits are made while it works. */
  private async run(beside: boolean): Promise<void> {
    const words = [this.options.cliFile, "run", "--continue", "--json", "--engine", "embedded"];
    const [program, ...args] = [...this.project.launcher, process.execPath, ...words];
    // Takes over past scans in this small project, too.
    const env = { ...process.env, FASTLOOP_PAST_SCAN: "always" };
    const child = spawn(program!, args, { cwd: this.project.root, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const closed = once(child, "close");
    const editedAtMs = beside ? await this.editBeside(() => child.exitCode !== null) : 0;
    await closed;
    this.result.commands++;
    this.judge(
      stdout
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Line),
      child.exitCode,
      editedAtMs,
      stderr,
    );
  }

  /** Edits until enough are made or the command has ended; when the last one was made. */
  private async editBeside(hasEnded: () => boolean): Promise<number> {
    await pause(this.random.below(600));
    for (let count = this.random.below(this.options.batch ?? 40); count >= 0 && !hasEnded(); count--) {
      this.edit();
      if (this.random.below(6) === 0) await pause(this.random.below(200));
    }
    return Date.now();
  }

  private judge(lines: readonly Line[], exitCode: number | null, editedAtMs: number, stderr: string): void {
    const { result } = this;
    let looked = editedAtMs === 0;
    for (const line of lines) {
      const key = `${line.name} ${line.digest}`;
      if (line.event === "started") {
        result.runs++;
        if (this.passed.has(key)) result.needless.push(key);
      }
      // A look that began after the last edit, or one that follows what ended after it.
      if (line.event === "planned" && Date.parse(line.at) - line.tookMs! > editedAtMs) looked = true;
      if (line.event !== "finished") continue;
      if (Date.parse(line.at) > editedAtMs) looked = true;
      if (line.outcome === "stale") result.stale++;
      if (line.outcome !== "passed" || line.fresh !== true) continue;
      this.passed.add(key);
      const values = this.values.get(line.name!) ?? new Map<string, number>();
      this.values.set(line.name!, values.set(line.value ?? "", Date.parse(line.at) - line.durationMs!));
    }
    const summary = lines.findLast(({ event }) => event === "summary");
    // Files that moved through all of its attempts, while somebody edited: nothing is claimed.
    const gaveUp = lines.some(({ error }) => error?.message.startsWith("its inputs changed during") === true);
    if (!looked || (gaveUp && editedAtMs > 0)) return;
    result.judged++;
    const wrong = summary === undefined ? ["there is no summary"] : this.differing(summary, exitCode);
    if (wrong.length === 0) return;
    const { seed } = this.options;
    result.differences.push(
      `seed ${seed}, operation ${result.operations}, exit code ${exitCode}: ${wrong.join("; ")}\n${lines
        .filter(({ event }) => event !== "step" && event !== "output")
        .map((line) => JSON.stringify(line).slice(0, 300))
        .join("\n")}\n${stderr}\nlast edit ${new Date(editedAtMs).toISOString()}`,
    );
  }

  private differing(summary: Line, exitCode: number | null): string[] {
    const truth = this.project.truth();
    const said = {
      current: [...summary.passed!, ...summary.current!],
      failed: summary.failed!,
      blocked: summary.blocked!,
    };
    const wrong = [...truth].flatMap(([name, { verdict, isValue }]) => {
      if (!said[verdict].includes(name)) return [`${name} is ${verdict}`];
      if (
        verdict === "current" &&
        ![...(this.values.get(name) ?? [])].some(([value, startedMs]) => isValue(value, startedMs))
      )
        return [`${name} was never run on these files`];
      return [];
    });
    const isGreen = [...truth.values()].every(({ verdict }) => verdict === "current");
    return exitCode === (isGreen ? 0 : 1) ? wrong : [...wrong, `the exit code is ${exitCode}`];
  }
}
