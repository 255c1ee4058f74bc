/** A small project with three functions, and `fastloop watch` on it as a process whose events are awaited. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { createInterface } from "node:readline";
import { fastloop, cliFile, type CliOptions, type CliResult } from "./cli-process.ts";

const moduleSource = `
import { Container, dag, func, object, type Directory, type Secret } from "@dagger.io/dagger"

@object()
export class Loop {
  /** Reads one part of the project; a part that says \`broken\` fails, one that says \`slow\` lasts. */
  @func()
  async test(source: Directory, part: string): Promise<string> {
    const script = \`
      cat \${part}/*
      grep -qs broken \${part}/* && exit 3
      if grep -qs slow \${part}/*; then echo sleeping; sleep 600; fi
      echo "ok \${part} from $(echo $(cat lib/* \${part}/*))"\`
    return dag.container().from("debian:bookworm-slim").withMountedDirectory("/src", source).withWorkdir("/src")
      .withExec(["sh", "-c", script]).stdout()
  }

  /** Gives a secret away. */
  @func()
  async tell(token: Secret): Promise<string[]> {
    return [\`it is \${await token.plaintext()}\`]
  }

  /** Fails with a secret in its words. */
  @func()
  async fail(token: Secret): Promise<string> {
    throw new Error("no use of " + (await token.plaintext()))
  }

  /** A container that holds how many characters a secret has. */
  @func()
  async box(count: number, token: Secret): Promise<Container> {
    return dag.container().from("debian:bookworm-slim").withNewFile("/count", \`\${count} of \${(await token.plaintext()).length}\`)
  }
}
`;

const configuration = `version: 1
name: loop
watch:
  targets:
    lib: { call: "test --source . --part lib", inputs: [lib/] }
    api: { call: "test --source . --part api", inputs: [lib/, api/], needs: [lib] }
    worker: { call: "test --source . --part worker", inputs: [worker/] }
engine:
  jobs: 2
`;

export type RunFastloop = (args: readonly string[], options: CliOptions) => Promise<CliResult>;

export class LoopProject {
  readonly root = mkdtempSync(path.join(tmpdir(), "fastloop-loop-"));
  private readonly watches: WatchProcess[] = [];
  private readonly fastloop: RunFastloop;

  /** By default commands are processes. */
  constructor(runner: RunFastloop = fastloop) {
    this.fastloop = runner;
    this.write(
      "dagger.json",
      JSON.stringify({ name: "loop", engineVersion: "v0.21.4", sdk: { source: "typescript" }, source: "ci" }),
    );
    this.write("ci/package.json", JSON.stringify({ type: "module" }));
    this.write("ci/src/index.ts", moduleSource);
    this.write("fastloop.yaml", configuration);
    for (const part of ["lib", "api", "worker"]) this.write(`${part}/a.txt`, `${part} one\n`);
  }

  at(name: string): string {
    return path.join(this.root, name);
  }

  write(name: string, text: string): void {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), text);
  }

  run(...words: string[]): Promise<CliResult> {
    return this.fastloop(words, { cwd: this.root });
  }

  watch(...words: string[]): WatchProcess {
    const watch = new WatchProcess(this.root, words);
    this.watches.push(watch);
    return watch;
  }

  async remove(): Promise<void> {
    for (const watch of this.watches) await watch.kill("SIGKILL");
    // A watch whose terminal was closed ends in its own time, and may write its state meanwhile. `maxRetries` does not delete
    // what was written since.
    for (let left = 100; ; left--) {
      try {
        return rmSync(this.root, { recursive: true, force: true });
      } catch (error) {
        if (left === 0) throw error;
        await setTimeout(50);
      }
    }
  }
}

/** One line of `--json`. */
export interface WatchEvent {
  event: string;
  name?: string;
  outcome?: string;
  [key: string]: unknown;
}

/** The events of a command that runs, which tests wait for. */
export abstract class CommandEvents {
  readonly events: WatchEvent[] = [];
  stderr = "";
  private read = 0;
  private waiters: (() => void)[] = [];

  protected abstract readonly hasEnded: boolean;
  /** Its exit code, or the signal that ended it, once it has ended by itself. */
  abstract end(): Promise<number | string | null>;
  /** Ends it and gives its exit code, or the signal that ended it. */
  abstract kill(signal: NodeJS.Signals): Promise<number | string | null>;

  /** The next event of that kind (and of that function); events before it are passed over. */
  async next(event: string, name?: string): Promise<WatchEvent> {
    for (;;) {
      for (; this.read < this.events.length;) {
        const candidate = this.events[this.read++]!;
        if (candidate.event === event && (name === undefined || candidate.name === name)) return candidate;
      }
      if (this.hasEnded)
        throw new Error(`the watch ended before "${event}": ${this.stderr}\n${JSON.stringify(this.events.slice(-5))}`);
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
  }

  /** Waits until all that was said so far is what `holds` asks for. */
  async until(holds: (events: readonly WatchEvent[]) => boolean): Promise<void> {
    while (!holds(this.events)) {
      if (this.hasEnded) throw new Error(`it ended before: ${this.stderr}\n${JSON.stringify(this.events.slice(-5))}`);
      await new Promise<void>((resolve) => this.waiters.push(resolve));
    }
  }

  /** Names of what started since `from`, in order. */
  startedSince(from: number): string[] {
    return this.events
      .slice(from)
      .filter((event) => event.event === "started")
      .map((event) => event.name!);
  }

  protected say(line: string): void {
    this.events.push(JSON.parse(line) as WatchEvent);
    this.wake();
  }

  protected wake(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}

export class WatchProcess extends CommandEvents {
  readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;

  /** `words` begin with options of `watch`, or with another command; `wrapper` is a program that starts it. */
  constructor(
    cwd: string,
    words: readonly string[],
    command = "watch",
    wrapper: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
  ) {
    super();
    const [program, ...args] = [...wrapper, process.execPath, cliFile, command, "--json", ...words];
    this.child = spawn(program!, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.exited = once(this.child, "exit");
    void this.exited.then(() => this.wake());
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    createInterface({ input: this.child.stdout! }).on("line", (line) => this.say(line));
  }

  protected get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async end(): Promise<number | string | null> {
    await this.exited;
    return this.child.exitCode ?? this.child.signalCode;
  }

  async kill(signal: NodeJS.Signals): Promise<number | string | null> {
    if (!this.hasEnded) this.child.kill(signal);
    return this.end();
  }
}
