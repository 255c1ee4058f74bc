/**
 * Random edits under a real `fastloop watch`, and the question after each batch: does it say of every function what is
 * true of the files? The answer is computed from the disk without any code of the product.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { Editor } from "./editor.ts";
import { bulkFiles, ChaosProject, edited, functions, gitIdentity, ruleFiles } from "./project.ts";
import { Random } from "./random.ts";
import { History, Watched } from "./watched.ts";

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

/** An edit about which nothing is said for so long was missed; the slow timer's rescue would come later. */
const missedAfterMs = 58_000;

const scenes = {
  "edits while a function runs": 5,
  checkout: 4,
  "checkout there and back": 4,
  "stash and pop": 2,
  "rewrite and commit": 2,
  "writes under index.lock": 3,
  "burst past the queue": 1,
  "kill, edits, restart": 2,
  "broken configuration": 2,
  "another module": 1,
  "foreign writers": 2,
  "a rebase that stops": 2,
  "a write past a mount": 3,
};

export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const story = new Story(options);
  try {
    return await story.tell();
  } finally {
    await story.end();
  }
}

class Story {
  private readonly options: ChaosOptions;
  private readonly random: Random;
  private readonly project = new ChaosProject();
  private readonly editor: Editor;
  private readonly history = new History();
  private readonly sceneCounts: Partial<Record<string, number>> = {};
  private watch: Watched;
  private operations = 0;
  private batches = 0;
  private slowestMs = 0;
  private token = 0;
  private modules = 0;
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
      if (this.random.below(5) === 0) await this.scene();
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
      scenes: this.sceneCounts,
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

  private start(): Watched {
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

  private async scene(): Promise<void> {
    const name = this.random.weighted(scenes);
    this.sceneCounts[name] = (this.sceneCounts[name] ?? 0) + 1;
    this.operations++;
    switch (name) {
      case "edits while a function runs":
        return this.editsWhileRunning();
      case "checkout":
        return this.checkout();
      case "checkout there and back":
        return this.thereAndBack();
      case "stash and pop":
        return (this.project.git("stash", "-q", "-u"), this.popStash());
      case "rewrite and commit":
        for (let file = 0; file < bulkFiles; file++)
          this.project.write(`bulk/d${file % 20}/f${file}.txt`, this.editor.fresh());
        return this.project.git("commit", "-q", "-m", "rewritten", "bulk");
      case "writes under index.lock":
        return this.underLock();
      case "burst past the queue":
        return this.burst();
      case "kill, edits, restart":
        return this.killed();
      case "broken configuration":
        return this.brokenConfiguration();
      case "another module": {
        const file = "ci/src/index.ts";
        this.project.write(file, `${readFileSync(this.project.at(file), "utf8")}// ${this.modules++}\n`);
        return;
      }
      case "foreign writers":
        return this.foreignWriters();
      case "a rebase that stops":
        return this.stoppedRebase();
      case "a write past a mount":
        return this.writePastMount();
    }
  }

  private popStash(): void {
    // Nothing was stashed when nothing differed.
    spawnSync("git", ["stash", "pop", "-q"], { cwd: this.project.root });
    // Git knows no empty folders.
    for (const folder of edited) mkdirSync(this.project.at(folder), { recursive: true });
  }

  private async editsWhileRunning(): Promise<void> {
    const folder = this.random.pick(edited);
    rmSync(this.project.at(`${folder}/broken`), { recursive: true, force: true });
    const from = this.watch.started.length;
    for (let edit = 0; edit < 4; edit++) {
      this.project.write(`${folder}/during.txt`, this.editor.fresh());
      // Waits for what it provokes, where it is not blocked by another folder's failure.
      await this.watch.until(() => this.watch.started.slice(from).includes(folder), 2000);
    }
  }

  /** All files of a branch in one go: the function over them runs once at most, and no other. */
  private async checkout(): Promise<void> {
    await this.barrier();
    const from = this.watch.started.length;
    this.project.git("checkout", "-q", this.branch() === "main" ? "other" : "main");
    await this.agrees("a checkout");
    await this.barrier();
    const started = this.watch.started.slice(from).filter((name) => name !== "token");
    if (started.length > 1 || started.some((name) => name !== "bulk"))
      throw this.wrong(`a checkout started ${started.join(", ")}`);
  }

  private async thereAndBack(): Promise<void> {
    await this.barrier();
    const from = this.watch.started.length;
    const here = this.branch();
    this.project.git("checkout", "-q", here === "main" ? "other" : "main");
    const startedMs = performance.now();
    this.project.git("checkout", "-q", here);
    // On a machine so busy that files rested in between, a look there is right.
    const quick = performance.now() - startedMs < 100;
    await this.agrees("a checkout there and back");
    await this.barrier();
    const started = this.watch.started.slice(from).filter((name) => name !== "token");
    if (quick && started.length > 0) throw this.wrong(`a checkout there and back started ${started.join(", ")}`);
  }

  private branch(): string {
    return execFileSync("git", ["branch", "--show-current"], { cwd: this.project.root, encoding: "utf8" }).trim();
  }

  private async underLock(): Promise<void> {
    await this.barrier();
    const from = this.watch.started.length;
    const notices = this.watch.notices.length;
    writeFileSync(this.project.at(".git/index.lock"), "");
    this.project.write("docs/locked.txt", this.editor.fresh());
    const said = (): boolean => this.watch.notices.slice(notices).some((text) => text.includes("index.lock"));
    if (!(await this.watch.until(said, missedAfterMs))) throw this.wrong("nobody said that git holds its lock");
    for (let edit = 0; edit < 5; edit++) {
      this.project.write("lib/locked.txt", this.editor.fresh());
      await pause(30);
    }
    const started = this.watch.started.slice(from);
    rmSync(this.project.at(".git/index.lock"));
    if (started.length > 0) throw this.wrong(`${started.join(", ")} started while git held its lock`);
  }

  /** The process sleeps while more events come than its queue holds; the last edit's own are among the lost. */
  private async burst(): Promise<void> {
    this.watch.signal("SIGSTOP");
    for (let round = 0; round < 45; round++) {
      for (let file = 0; file < bulkFiles; file++)
        this.project.write(`bulk/d${file % 20}/f${file}.txt`, `${round} ${this.token}\n`);
    }
    mkdirSync(this.project.at("docs/unseen/deep"), { recursive: true });
    this.project.write("docs/unseen/deep/f.txt", this.editor.fresh());
    this.project.write("lib/unseen.txt", this.editor.fresh());
    this.watch.signal("SIGCONT");
    await this.agrees("a burst past the queue");
    // The folder that was made unseen is looked at from now on.
    this.project.write("docs/unseen/deep/f.txt", this.editor.fresh());
    await this.agrees("an edit after the burst");
    rmSync(this.project.at("docs/unseen"), { recursive: true });
    this.project.git("commit", "-q", "-m", "burst", "bulk");
  }

  /** Programs that write all the time what nobody reads, or reads but does not count, while edits are made. */
  private async foreignWriters(): Promise<void> {
    const script = `mkdir -p cache cfg/always; n=0; while :; do n=$((n + 1))
      echo "$n" >> dev.log; echo "$n" > cfg/always/cache.json; : > "cache/t$n"; rm -f "cache/t$((n - 3))"; sleep 0.01; done`;
    const writer = spawn("sh", ["-c", script], { cwd: this.project.root, stdio: "ignore" });
    try {
      for (let edit = 0; edit < 4; edit++) {
        this.editor.step();
        await this.agrees("an edit beside foreign writers");
        await this.barrier();
      }
    } finally {
      writer.kill();
      await once(writer, "exit");
      for (const name of ["cache", "cfg/always", "dev.log"])
        rmSync(this.project.at(name), { recursive: true, force: true });
    }
  }

  /** Git puts the work tree back to an early commit and waits for the user: saves are seen, and so is its end. */
  private async stoppedRebase(): Promise<void> {
    const rules = ruleFiles.map((file) => [file, readIfPresent(this.project.at(file))] as const);
    this.project.git("stash", "-q", "-u");
    try {
      const words = ["rebase", "-q", "-i", "--root", "--exec", "false"];
      const { status } = spawnSync("git", [...gitIdentity, ...words], {
        cwd: this.project.root,
        env: { ...process.env, GIT_EDITOR: "true", GIT_SEQUENCE_EDITOR: "true" },
      });
      if (status === 0) throw this.wrong("the rebase did not stop");
      await this.agrees("a rebase that stopped");
      for (let edit = 0; edit < 3; edit++) {
        this.project.write("docs/during-rebase.txt", this.editor.fresh());
        await this.agrees("a save while a rebase waits");
      }
      rmSync(this.project.at("docs/during-rebase.txt"));
    } finally {
      this.project.git("rebase", "--abort");
    }
    await this.agrees("a rebase that was given up");
    this.popStash();
    for (const [file, text] of rules) if (text !== undefined) this.project.write(file, text);
  }

  /** Into the layer below a mount of the project: no event tells of it. */
  private async writePastMount(): Promise<void> {
    if (this.project.launcher.length === 0) return;
    await this.barrier();
    const from = this.watch.started.length;
    const folder = path.join(this.project.layer, "low", this.random.pick([".", "new", "new/deep"]));
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "f.txt"), this.editor.fresh());
    if (!(await this.watch.until(() => this.watch.started.slice(from).includes("vol"), missedAfterMs)))
      throw this.wrong("a write past a mount was missed");
  }

  private async killed(): Promise<void> {
    this.editor.step();
    if (this.random.below(2) === 0) await pause(this.random.below(300));
    await this.watch.kill("SIGKILL");
    for (let count = this.random.below(6); count >= 0; count--) this.editor.step();
    this.watch = this.start();
  }

  private async brokenConfiguration(): Promise<void> {
    const broken = this.watch.broken.length;
    this.project.write("fastloop.yaml", this.project.configuration.replace("needs:", "neds:"));
    if (!(await this.watch.until(() => this.watch.broken.length > broken, missedAfterMs)))
      throw this.wrong("nobody said that the configuration is broken");
    this.editor.step();
    this.project.write("fastloop.yaml", this.project.configuration);
  }

  /** A write that is computed at last, so that all events before it have been seen, too. */
  private async barrier(): Promise<void> {
    this.project.write("token.txt", `token ${this.token++}\n`);
    await this.agrees(`barrier ${this.token}`);
  }

  private async agrees(what: string): Promise<void> {
    const startedMs = performance.now();
    const truth = this.project.truth();
    const differing = (): string[] => {
      const { settled } = this.watch;
      if (settled === undefined) return ["nothing is settled"];
      return [...truth].flatMap(([name, { verdict, isValue }]) => {
        if (settled[verdict]?.includes(name) !== true) return [`${name} is ${verdict}`];
        if (verdict === "current" && ![...(this.history.values.get(name) ?? [])].some(isValue))
          return [`${name} was never run on these files`];
        return [];
      });
    };
    if (!(await this.watch.until(() => differing().length === 0, missedAfterMs))) {
      throw this.wrong(`after ${what} (${JSON.stringify(this.watch.settled)}): ${differing().join("; ")}`);
    }
    this.slowestMs = Math.max(this.slowestMs, performance.now() - startedMs);
  }

  private wrong(text: string): Error {
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

function readIfPresent(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
