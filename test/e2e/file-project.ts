/** A project whose functions only read files, without a container: what the tests of verdicts are about is which runs there are. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fastloop, type CliResult } from "./cli-process.ts";
import { WatchProcess, type WatchEvent } from "./loop-project.ts";

const moduleSource = `
import { argument, dag, func, object, type Directory } from "@dagger.io/dagger"

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

@object()
export class Files {
  /** The text of a file; one that says "broken" fails, one that says "slow" is waited for. */
  @func()
  async cat(@argument({ ignore: ["**/.git", "**/node_modules"] }) source: Directory, file: string): Promise<string> {
    const text = await source.file(file).contents()
    console.log("read " + file)
    if (text.includes("slow")) await sleep(3_600_000)
    const wait = /wait (\\d+)/.exec(text)
    if (wait !== null) await sleep(Number(wait[1]))
    if (text.includes("broken")) throw new Error("it says broken")
    return text.trim()
  }

  /** A folder of one file. */
  @func()
  gen(@argument({ ignore: ["**/.git"] }) source: Directory, stamp: boolean = false): Directory {
    return dag.directory().withNewFile("out.txt", stamp ? String(Date.now()) : "same")
  }

  /** Nothing is left out. */
  @func()
  async raw(source: Directory): Promise<string> {
    return (await source.entries()).join(" ")
  }
}
`;

export class FileProject {
  readonly root: string;
  private readonly watches: WatchProcess[] = [];

  /** `targets` is the body of watch.targets, a line each; `root` is a project that is there already. */
  constructor(targets: readonly string[], files: Readonly<Record<string, string>>, watch = "", root?: string) {
    this.root = root ?? mkdtempSync(path.join(tmpdir(), "fastloop-files-"));
    if (root !== undefined) return;
    this.write(
      "dagger.json",
      JSON.stringify({ name: "files", engineVersion: "v0.21.4", sdk: { source: "typescript" }, source: "ci" }),
    );
    this.write("ci/package.json", JSON.stringify({ type: "module" }));
    this.write("ci/src/index.ts", moduleSource);
    this.configure(targets, watch);
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  configure(targets: readonly string[], watch = ""): void {
    this.write(
      "fastloop.yaml",
      `version: 1\nname: files\nwatch:\n${watch}  targets:\n${targets.map((line) => `    ${line}\n`).join("")}engine:\n  jobs: 2\n`,
    );
  }

  at(name: string): string {
    return path.join(this.root, name);
  }

  write(name: string, text: string): void {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), text);
  }

  git(...words: string[]): string {
    const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
    return execFileSync("git", [...identity, ...words], {
      cwd: this.root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, GIT_EDITOR: "true" },
    });
  }

  commitAll(): void {
    this.git("init", "-q", "-b", "main");
    this.git("add", "-A");
    this.git("commit", "-q", "-m", "all");
  }

  run(...words: string[]): Promise<CliResult> {
    return fastloop(words, { cwd: this.root });
  }

  /** All that was logged of all runs. */
  runLogs(): string {
    const folder = this.at(".fastloop/runs");
    return readdirSync(folder)
      .filter((name) => name.endsWith(".log"))
      .map((name) => readFileSync(path.join(folder, name), "utf8"))
      .join("");
  }

  /** `fastloop COMMAND --json` whose events are awaited. */
  start(command: "run" | "watch", ...words: string[]): WatchProcess {
    const process = new WatchProcess(this.root, words, command);
    this.watches.push(process);
    return process;
  }

  /** `fastloop watch` where `script` has run before, in a namespace of mounts that is its own. */
  startWithMounts(script: string): WatchProcess {
    const wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", `${script}\nexec "$@"`, "sh"];
    const process = new WatchProcess(this.root, [], "watch", wrapper);
    this.watches.push(process);
    return process;
  }

  async remove(): Promise<void> {
    for (const watch of this.watches) await watch.kill("SIGKILL");
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The objects that `--json` printed. */
export function eventsOf(stdout: string): WatchEvent[] {
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as WatchEvent);
}
