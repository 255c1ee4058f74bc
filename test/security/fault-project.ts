/** A project whose functions run containers, and an engine of its own that may be stopped, killed and left for dead. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { cliFile, fastloop, type CliResult } from "../e2e/cli-process.ts";

const moduleSource = `
import { dag, func, object } from "@dagger.io/dagger"

const base = () => dag.container().from("debian:bookworm-slim").withEnvVariable("N", String(Date.now()))

@object()
export class Ci {
  @func({ cache: "never" })
  quick(): Promise<string> {
    return base().withExec(["echo", "hello"]).stdout()
  }

  /** Says that it has begun. */
  @func({ cache: "never" })
  slow(seconds: string = "3600"): Promise<string> {
    return base().withExec(["sh", "-c", "echo begun; sleep " + seconds]).stdout()
  }
}
`;

/** A command that still runs, and what it has said so far. */
export interface Running {
  stderr(): string;
  /** Resolves when it has said this. */
  says(text: string | RegExp): Promise<void>;
  readonly ended: Promise<CliResult>;
  kill(signal: NodeJS.Signals): void;
}

export class FaultProject {
  readonly top = mkdtempSync(path.join(tmpdir(), "fastloop-faults-"));
  readonly root = path.join(this.top, "project");
  /** Of the engine. */
  readonly state = path.join(this.top, "fastloop/engine");
  readonly env = { XDG_STATE_HOME: this.top };
  private readonly running: Running[] = [];

  constructor() {
    this.write(
      "dagger.json",
      JSON.stringify({ name: "ci", engineVersion: "v0.21.4", sdk: "typescript", source: "ci" }),
    );
    this.write("ci/src/index.ts", moduleSource);
    this.watches("quick");
  }

  /** The one call that is watched. */
  watches(call: string): void {
    this.write("fastloop.yaml", `version: 1\nwatch:\n  targets:\n    one: { call: "${call}" }\n`);
  }

  write(name: string, text: string): void {
    const file = path.join(this.root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  run(...words: string[]): Promise<CliResult> {
    return fastloop(words, { cwd: this.root, env: this.env });
  }

  start(...words: string[]): Running {
    const child = spawn(process.execPath, [cliFile, ...words], {
      cwd: this.root,
      env: { ...process.env, ...this.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    const listeners = new Set<() => void>();
    const heard = (): void => listeners.forEach((listener) => listener());
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      heard();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      heard();
    });
    const ended = new Promise<CliResult>((resolve) =>
      child.once("close", (exitCode) => resolve({ exitCode, stdout, stderr })),
    );
    const running: Running = {
      stderr: () => stderr,
      says: (text) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            const said = stdout + stderr;
            if (typeof text === "string" ? said.includes(text) : text.test(said)) resolve();
          };
          listeners.add(look);
          void ended.then(({ exitCode }) => reject(new Error(`ended with ${exitCode}, and said: ${stdout}${stderr}`)));
          look();
        }),
      ended,
      kill: (signal) => void child.kill(signal),
    };
    this.running.push(running);
    return running;
  }

  /** As the state folder notes it. */
  pid(name: "daemon" | "buildkitd" | "registry"): number {
    return Number(readFileSync(path.join(this.state, `${name}.pid`), "utf8").split("\n")[0]);
  }

  log(): string {
    return readFileSync(path.join(this.state, "engine.log"), "utf8");
  }

  killCommands(): void {
    for (const running of this.running.splice(0)) running.kill("SIGKILL");
  }

  async remove(): Promise<void> {
    this.killCommands();
    await this.run("engine", "stop", "--force");
    rmSync(this.top, { recursive: true, force: true });
  }
}

/** Whether a process still is there; one that has ended and only waits to be counted is not. */
export function isThere(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
