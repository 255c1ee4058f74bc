/** Runs a shell command of the project on the host, in a process group of its own that never outlives this process. */
import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { signalGroup } from "../../async/index.ts";
import { statIfThere } from "../../paths/index.ts";

/** Time between SIGTERM and SIGKILL. */
const terminateMs = 1_200;
const lookMs = 10;
/** Longest wait after SIGKILL: the kernel may keep a process longer, and an init that does not reap keeps zombies. */
const killMs = 2_000;
/** Wait for the rest of its output after the process exited. */
const outputMs = 200;

export interface HostProcessOptions {
  command: string;
  /** Absolute path. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  onOutput(stream: "stdout" | "stderr", text: string): void;
}

export class HostProcess {
  /** Resolves with how the process ended: `exit code: 1`, `SIGKILL`; undefined for exit code 0. */
  readonly ended: Promise<string | undefined>;
  private readonly child: ChildProcess;
  private readonly guard: ChildProcess | undefined;

  constructor({ command, cwd, env, onOutput }: HostProcessOptions) {
    this.child = spawn("/bin/sh", ["-c", command], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of ["stdout", "stderr"] as const)
      this.child[stream]!.setEncoding("utf8").on("data", (text: string) => onOutput(stream, text));
    this.guard = this.child.pid === undefined ? undefined : guardOf(this.child.pid);
    this.ended = new Promise((resolve) => {
      this.child.once("error", (error) =>
        resolve(isFolder(cwd) ? error.message : `its \`cwd\` ${cwd} is no folder that is there`),
      );
      // Does not wait for "close" alone: a background child may hold the output open forever.
      this.child.once("exit", (code, signal) => {
        const how = code === 0 ? undefined : code === null ? String(signal) : `exit code: ${code}`;
        const said = new Promise<void>((done) => void this.child.once("close", () => done()));
        void this.end()
          .then(() => Promise.race([said, setTimeout(outputMs, undefined, { ref: false })]))
          .then(() => resolve(how));
      });
    });
  }

  /** Ends the whole process group; resolves when no process of it is left. */
  async stop(): Promise<void> {
    signalGroup(this.child, "SIGTERM");
    await this.end();
  }

  private async end(): Promise<void> {
    const lastMs = performance.now() + terminateMs;
    signalGroup(this.child, "SIGTERM");
    while (signalGroup(this.child, 0) && performance.now() < lastMs + killMs) {
      if (performance.now() > lastMs) signalGroup(this.child, "SIGKILL");
      await setTimeout(lookMs);
    }
    this.guard?.kill("SIGKILL");
  }
}

const isFolder = (place: string): boolean => statIfThere(place)?.isDirectory() === true;

/** Ends the group when this process dies in any way: the guard's stdin then reaches its end. */
function guardOf(group: number): ChildProcess {
  const script = 'read -r _; kill -s TERM -- "-$1"; sleep 1; kill -s KILL -- "-$1"';
  const guard = spawn("/bin/sh", ["-c", script, "fastloop-guard", String(group)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  guard.on("error", () => undefined);
  guard.stdin.on("error", () => undefined);
  guard.unref();
  return guard;
}
