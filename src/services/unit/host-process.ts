/** A shell command of the project on this machine, in a process group of its own: nothing of it outlives this process. */
import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { statIfThere } from "../../paths/index.ts";

/** Between SIGTERM and SIGKILL. */
const terminateMs = 1_200;
const lookMs = 10;
/** After SIGKILL: what the kernel, or an init that buries nobody, keeps for longer is not waited for. */
const killMs = 2_000;
/** For the last of what it said. */
const outputMs = 200;

export interface HostProcessOptions {
  command: string;
  /** Absolute. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  onOutput(stream: "stdout" | "stderr", text: string): void;
}

export class HostProcess {
  /** How it ended: `exit code: 1`, `SIGKILL`; undefined where that is 0. */
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
      // What it started in the background may hold its output open for ever.
      this.child.once("exit", (code, signal) => {
        const how = code === 0 ? undefined : code === null ? String(signal) : `exit code: ${code}`;
        const said = new Promise<void>((done) => void this.child.once("close", () => done()));
        void this.end()
          .then(() => Promise.race([said, setTimeout(outputMs, undefined, { ref: false })]))
          .then(() => resolve(how));
      });
    });
  }

  /** Ends the whole group; resolves when the last of it has gone. */
  async stop(): Promise<void> {
    this.signal("SIGTERM");
    await this.end();
  }

  private async end(): Promise<void> {
    const lastMs = performance.now() + terminateMs;
    this.signal("SIGTERM");
    while (this.signal(0) && performance.now() < lastMs + killMs) {
      if (performance.now() > lastMs) this.signal("SIGKILL");
      await setTimeout(lookMs);
    }
    this.guard?.kill("SIGKILL");
  }

  /** Whether the group is there. */
  private signal(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.child;
    if (pid === undefined) return false;
    try {
      process.kill(-pid, signal);
      return true;
    } catch {
      return false;
    }
  }
}

const isFolder = (place: string): boolean => statIfThere(place)?.isDirectory() === true;

/** Ends the group when this process is gone, however it went: then its input ends. */
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
