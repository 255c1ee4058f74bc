/** What people and their programs do to a project as a whole, while `fastloop watch` looks. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { bulkFiles, edited, gitIdentity, ruleFiles } from "./project-source.ts";
import type { Story } from "./story.ts";
import { missedAfterMs } from "./watched.ts";

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

export class Scenes {
  readonly counts: Partial<Record<string, number>> = {};
  private readonly story: Story;
  private modules = 0;

  constructor(story: Story) {
    this.story = story;
  }

  /** A random one. */
  async play(): Promise<void> {
    const name = this.story.random.weighted(scenes);
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    this.story.operations++;
    switch (name) {
      case "edits while a function runs":
        return this.editsWhileRunning();
      case "checkout":
        return this.checkout();
      case "checkout there and back":
        return this.thereAndBack();
      case "stash and pop":
        return (this.story.project.git("stash", "-q", "-u"), this.popStash());
      case "rewrite and commit":
        for (let file = 0; file < bulkFiles; file++)
          this.story.project.write(`bulk/d${file % 20}/f${file}.txt`, this.story.editor.fresh());
        return this.story.project.git("commit", "-q", "-m", "rewritten", "bulk");
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
        this.story.project.write(file, `${readFileSync(this.story.project.at(file), "utf8")}// ${this.modules++}\n`);
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
    spawnSync("git", ["stash", "pop", "-q"], { cwd: this.story.project.root });
    // Git knows no empty folders.
    for (const folder of edited) mkdirSync(this.story.project.at(folder), { recursive: true });
  }

  private async editsWhileRunning(): Promise<void> {
    const folder = this.story.random.pick(edited);
    rmSync(this.story.project.at(`${folder}/broken`), { recursive: true, force: true });
    const from = this.story.watch.started.length;
    for (let edit = 0; edit < 4; edit++) {
      this.story.project.write(`${folder}/during.txt`, this.story.editor.fresh());
      // Waits for what it provokes, where it is not blocked by another folder's failure.
      await this.story.watch.until(() => this.story.watch.started.slice(from).includes(folder), 2000);
    }
  }

  /** All files of a branch in one go: the function over them runs once at most, and no other. */
  private async checkout(): Promise<void> {
    await this.story.barrier();
    const from = this.story.watch.started.length;
    this.story.project.git("checkout", "-q", this.branch() === "main" ? "other" : "main");
    await this.story.agrees("a checkout");
    await this.story.barrier();
    const started = this.story.watch.started.slice(from).filter((name) => name !== "token");
    if (started.length > 1 || started.some((name) => name !== "bulk"))
      throw this.story.wrong(`a checkout started ${started.join(", ")}`);
  }

  private async thereAndBack(): Promise<void> {
    await this.story.barrier();
    const from = this.story.watch.started.length;
    const here = this.branch();
    this.story.project.git("checkout", "-q", here === "main" ? "other" : "main");
    const startedMs = performance.now();
    this.story.project.git("checkout", "-q", here);
    // On a machine so busy that files rested in between, a look there is right.
    const quick = performance.now() - startedMs < 100;
    await this.story.agrees("a checkout there and back");
    await this.story.barrier();
    const started = this.story.watch.started.slice(from).filter((name) => name !== "token");
    if (quick && started.length > 0) throw this.story.wrong(`a checkout there and back started ${started.join(", ")}`);
  }

  private branch(): string {
    return execFileSync("git", ["branch", "--show-current"], { cwd: this.story.project.root, encoding: "utf8" }).trim();
  }

  private async underLock(): Promise<void> {
    await this.story.barrier();
    const from = this.story.watch.started.length;
    const notices = this.story.watch.notices.length;
    writeFileSync(this.story.project.at(".git/index.lock"), "");
    this.story.project.write("docs/locked.txt", this.story.editor.fresh());
    const said = (): boolean => this.story.watch.notices.slice(notices).some((text) => text.includes("index.lock"));
    if (!(await this.story.watch.until(said, missedAfterMs)))
      throw this.story.wrong("nobody said that git holds its lock");
    for (let edit = 0; edit < 5; edit++) {
      this.story.project.write("lib/locked.txt", this.story.editor.fresh());
      await pause(30);
    }
    const started = this.story.watch.started.slice(from);
    rmSync(this.story.project.at(".git/index.lock"));
    if (started.length > 0) throw this.story.wrong(`${started.join(", ")} started while git held its lock`);
  }

  /** The process sleeps while more events come than its queue holds; the last edit's own are among the lost. */
  private async burst(): Promise<void> {
    this.story.watch.signal("SIGSTOP");
    for (let round = 0; round < 45; round++) {
      for (let file = 0; file < bulkFiles; file++)
        this.story.project.write(`bulk/d${file % 20}/f${file}.txt`, `${round} ${this.story.token}\n`);
    }
    mkdirSync(this.story.project.at("docs/unseen/deep"), { recursive: true });
    this.story.project.write("docs/unseen/deep/f.txt", this.story.editor.fresh());
    this.story.project.write("lib/unseen.txt", this.story.editor.fresh());
    this.story.watch.signal("SIGCONT");
    await this.story.agrees("a burst past the queue");
    // The folder that was made unseen is looked at from now on.
    this.story.project.write("docs/unseen/deep/f.txt", this.story.editor.fresh());
    await this.story.agrees("an edit after the burst");
    rmSync(this.story.project.at("docs/unseen"), { recursive: true });
    this.story.project.git("commit", "-q", "-m", "burst", "bulk");
  }

  /** Programs that write all the time what nobody reads, or reads but does not count, while edits are made. */
  private async foreignWriters(): Promise<void> {
    const script = `mkdir -p cache cfg/always; n=0; while :; do n=$((n + 1))
      echo "$n" >> dev.log; echo "$n" > cfg/always/cache.json; : > "cache/t$n"; rm -f "cache/t$((n - 3))"; sleep 0.01; done`;
    const writer = spawn("sh", ["-c", script], { cwd: this.story.project.root, stdio: "ignore" });
    try {
      for (let edit = 0; edit < 4; edit++) {
        this.story.editor.step();
        await this.story.agrees("an edit beside foreign writers");
        await this.story.barrier();
      }
    } finally {
      writer.kill();
      await once(writer, "exit");
      for (const name of ["cache", "cfg/always", "dev.log"])
        rmSync(this.story.project.at(name), { recursive: true, force: true });
    }
  }

  /** Git puts the work tree back to an early commit and waits for the user: saves are seen, and so is its end. */
  private async stoppedRebase(): Promise<void> {
    const rules = ruleFiles.map((file) => [file, readIfPresent(this.story.project.at(file))] as const);
    this.story.project.git("stash", "-q", "-u");
    try {
      const words = ["rebase", "-q", "-i", "--root", "--exec", "false"];
      const { status } = spawnSync("git", [...gitIdentity, ...words], {
        cwd: this.story.project.root,
        env: { ...process.env, GIT_EDITOR: "true", GIT_SEQUENCE_EDITOR: "true" },
      });
      if (status === 0) throw this.story.wrong("the rebase did not stop");
      await this.story.agrees("a rebase that stopped");
      for (let edit = 0; edit < 3; edit++) {
        this.story.project.write("docs/during-rebase.txt", this.story.editor.fresh());
        await this.story.agrees("a save while a rebase waits");
      }
      rmSync(this.story.project.at("docs/during-rebase.txt"));
    } finally {
      this.story.project.git("rebase", "--abort");
    }
    await this.story.agrees("a rebase that was given up");
    this.popStash();
    for (const [file, text] of rules) if (text !== undefined) this.story.project.write(file, text);
  }

  /** Into the layer below a mount of the project: no event tells of it. */
  private async writePastMount(): Promise<void> {
    if (this.story.project.launcher.length === 0) return;
    await this.story.barrier();
    const from = this.story.watch.started.length;
    const folder = path.join(this.story.project.layer, "low", this.story.random.pick([".", "new", "new/deep"]));
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "f.txt"), this.story.editor.fresh());
    if (!(await this.story.watch.until(() => this.story.watch.started.slice(from).includes("vol"), missedAfterMs)))
      throw this.story.wrong("a write past a mount was missed");
  }

  private async killed(): Promise<void> {
    this.story.editor.step();
    if (this.story.random.below(2) === 0) await pause(this.story.random.below(300));
    await this.story.watch.kill("SIGKILL");
    for (let count = this.story.random.below(6); count >= 0; count--) this.story.editor.step();
    this.story.watch = this.story.start();
  }

  private async brokenConfiguration(): Promise<void> {
    const broken = this.story.watch.broken.length;
    this.story.project.write("fastloop.yaml", this.story.project.configuration.replace("needs:", "neds:"));
    if (!(await this.story.watch.until(() => this.story.watch.broken.length > broken, missedAfterMs)))
      throw this.story.wrong("nobody said that the configuration is broken");
    this.story.editor.step();
    this.story.project.write("fastloop.yaml", this.story.project.configuration);
  }
}

function readIfPresent(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
