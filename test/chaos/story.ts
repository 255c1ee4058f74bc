/**
 * Random edits under a real `fastloop watch`, and the question after each batch: does it say of every function what is
 * true of the files? The answer is computed from the disk without any code of the product.
 */
import { spawnSync } from "node:child_process";
import { renameSync, rmSync } from "node:fs";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { Editor } from "./editor.ts";
import { ChaosProject } from "./project.ts";
import { functions } from "./project-source.ts";
import { Random } from "./random.ts";
import { Scenes } from "./scenes.ts";
import { History, missedAfterMs, Watched } from "./watched.ts";

export interface ChaosOptions {
  seed: number;
  /** Keep the project when something is wrong, with what each function should have seen beside it. */
  keep?: boolean;
  /** So many steps come between two checks at most; default 40. */
  batch?: number;
  /** How many random steps and scenes. */
  operations: number;
  cliFile: string;
  note(text: string): void;
}

export interface ChaosResult {
  operations: number;
  batches: number;
  edits: Partial<Record<string, number>>;
  scenes: Partial<Record<string, number>>;
  runs: number;
  cancelled: number;
  moved: number;
  restarts: number;
  looks: Record<string, number>;
  /** Longest time from the end of a batch until all was said right. */
  slowestMs: number;
  /** `function: what a clean run computed` against what the watch had; empty: they are equal. */
  differences: string[];
  /** Runs on a state whose result was there already. */
  needless: string[];
  /** What only the look of every minute has found. */
  missed: string[];
}

export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const story = new Story(options);
  try {
    return await story.tell();
  } finally {
    await story.end();
  }
}

export class Story {
  private readonly options: ChaosOptions;
  readonly random: Random;
  readonly project = new ChaosProject();
  readonly editor: Editor;
  private readonly history = new History();
  private readonly scenes = new Scenes(this);
  watch: Watched;
  operations = 0;
  token = 0;
  private batches = 0;
  private slowestMs = 0;
  private kept = false;

  constructor(options: ChaosOptions) {
    this.options = options;
    this.random = new Random(options.seed);
    this.editor = new Editor(this.project, this.random);
    this.watch = this.start();
  }

  async tell(): Promise<ChaosResult> {
    await this.agrees("the start");
    while (this.operations < this.options.operations) {
      this.batches++;
      if (this.random.below(5) === 0) await this.scenes.play();
      else await this.batch();
      await this.agrees(`batch ${this.batches}`);
      if (this.random.below(3) === 0) await this.barrier();
      if (this.batches % 50 === 0)
        this.options.note(
          `${this.operations} operations, ${this.history.runs} runs, ${this.history.cancelled} cancelled`,
        );
    }
    await this.barrier();
    await this.watch.kill("SIGINT");
    return {
      operations: this.operations,
      batches: this.batches,
      edits: this.editor.counts,
      scenes: this.scenes.counts,
      runs: this.history.runs,
      cancelled: this.history.cancelled,
      moved: this.history.moved,
      restarts: this.history.restarts - 1,
      looks: this.history.looks,
      slowestMs: Math.round(this.slowestMs),
      differences: this.cleanRun(),
      needless: this.history.needless,
      missed: this.history.missed,
    };
  }

  async end(): Promise<void> {
    await this.watch.kill("SIGKILL");
    if (this.kept) return;
    for (const folder of [this.project.root, this.project.layer]) rmSync(folder, { recursive: true, force: true });
  }

  start(): Watched {
    return new Watched(this.options.cliFile, this.project.root, this.history, this.project.launcher);
  }

  /** Some edits in a row; between some of them a moment in which a look or a run begins. */
  private async batch(): Promise<void> {
    for (let count = this.random.below(this.options.batch ?? 40); count >= 0; count--) {
      this.editor.step();
      this.operations++;
      if (this.random.below(12) === 0) await pause(this.random.below(150));
    }
  }

  /** A write that is computed at last, so that all events before it have been seen, too. */
  async barrier(): Promise<void> {
    this.project.write("token.txt", `token ${this.token++}\n`);
    await this.agrees(`barrier ${this.token}`);
  }

  async agrees(what: string): Promise<void> {
    const startedMs = performance.now();
    this.history.restsSinceMs = Date.now();
    const truth = this.project.truth();
    const differing = (): string[] => {
      const { settled } = this.watch;
      if (settled === undefined) return ["nothing is settled"];
      return [...truth].flatMap(([name, { verdict, isValue }]) => {
        if (settled[verdict]?.includes(name) !== true) return [`${name} is ${verdict}`];
        const values = [...(this.history.values.get(name) ?? [])];
        if (verdict === "current" && !values.some(([value, startedMs]) => isValue(value, startedMs)))
          return [`${name} was never run on these files`];
        return [];
      });
    };
    if (!(await this.watch.until(() => differing().length === 0, missedAfterMs))) {
      throw this.wrong(`after ${what} (${JSON.stringify(this.watch.settled)}): ${differing().join("; ")}`);
    }
    this.history.restsSinceMs = Number.POSITIVE_INFINITY;
    this.slowestMs = Math.max(this.slowestMs, performance.now() - startedMs);
  }

  wrong(text: string): Error {
    const { seed, keep, note } = this.options;
    if (keep === true) {
      this.kept = true;
      for (const name of Object.keys(functions))
        this.project.write(`.fastloop/seen-${name}`, this.project.listed(name));
      note(`kept: ${this.project.root}`);
    }
    return new Error(
      `seed ${seed}, operation ${this.operations}: ${text}\nlast lines of the watch:\n${this.watch.last()}\n${this.watch.stderr}`,
    );
  }

  /** Everything anew by one process without any state, against what the watch had come to. */
  private cleanRun(): string[] {
    renameSync(this.project.at(".fastloop"), this.project.at(".fastloop-before"));
    const words = [this.options.cliFile, "run", "--all", "--continue", "--json", "--engine", "embedded"];
    const { stdout, stderr } = spawnSync(process.execPath, words, {
      cwd: this.project.root,
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    const clean = new Map<string, string>();
    for (const text of stdout.split("\n").filter((line) => line.startsWith("{"))) {
      const line = JSON.parse(text) as { event?: string; name?: string; outcome?: string; value?: string };
      if (line.event === "finished" && line.outcome === "passed") clean.set(line.name!, line.value ?? "");
    }
    const differences: string[] = [];
    for (const [name, { verdict, value, isValue }] of this.project.truth()) {
      const said = clean.get(name);
      if (verdict === "current" ? said === undefined || !isValue(said) : said !== undefined)
        differences.push(`${name}: a clean run says ${said}, the watch ${value} ${stderr.slice(0, 300)}`);
    }
    return differences;
  }
}
