/**
 * Cleans up after a daemon, a buildkitd or a registry that was killed: processes, containers and mounts that belong to
 * this state folder and to nobody else. Runs under the lock, before anything is started.
 */
import { execFile } from "node:child_process";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { survivor } from "./child.ts";
import type { Log } from "./log.ts";
import { socketDir } from "../set-up/paths.ts";

/** How long an orphaned buildkitd may take to end by SIGTERM. */
const graceMs = 5000;

export async function sweep(state: string, log: Log): Promise<void> {
  for (const name of ["buildkitd", "registry"]) {
    const pidFile = path.join(state, `${name}.pid`);
    const pid = survivor(pidFile, state);
    if (pid !== undefined) {
      log.write("engine", `ending ${name} (pid ${pid}), left by a daemon that died`);
      await end(pid);
    }
    rmSync(pidFile, { force: true });
  }
  await sweepContainers(path.join(state, "buildkit"), log);
  for (const name of ["control.sock", "buildkitd.sock", "otel.sock"]) {
    rmSync(path.join(socketDir(state), name), { force: true });
  }
}

/** Ends what runs in containers of this BuildKit root, and takes down the mounts below it. */
export async function sweepContainers(buildkitRoot: string, log: Log): Promise<void> {
  if (process.platform !== "linux") return;
  for (const pid of containerProcesses(buildkitRoot)) {
    log.write("engine", `killing process ${pid} of a container left behind`);
    kill(pid, "SIGKILL");
  }
  for (const mountPoint of mountsOf(buildkitRoot, mounts("self"))) {
    await promisify(execFile)("umount", ["-l", mountPoint]).catch((error: Error) =>
      log.write("engine", `could not unmount ${mountPoint}: ${error.message}`),
    );
  }
}

async function end(pid: number): Promise<void> {
  kill(pid, "SIGTERM");
  const deadline = Date.now() + graceMs;
  while (alive(pid) && Date.now() < deadline) await sleep(20);
  kill(pid, "SIGKILL");
  while (alive(pid)) await sleep(5);
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/** False for a zombie too: it holds nothing any more. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Processes whose root file system lies below the folder: an overlay with a lower layer there, or a bind mount of it. */
function containerProcesses(buildkitRoot: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const root = mounts(pid).find((mount) => mount.point === "/");
      return root !== undefined && root.line.includes(`${buildkitRoot}/`);
    });
}

/** Mount points below the folder, the deepest first, and what a killed buildkitd had mounted of it to work on. */
export function mountsOf(folder: string, mounted: readonly { point: string; line: string }[]): string[] {
  const isWork = ({ point, line }: { point: string; line: string }): boolean =>
    path.basename(point).startsWith("buildkit-mount") && line.includes(`${folder}/`);
  return mounted
    .filter((mount) => mount.point.startsWith(`${folder}/`) || isWork(mount))
    .map((mount) => mount.point)
    .sort((a, b) => b.length - a.length);
}

function mounts(pid: number | "self"): { point: string; line: string }[] {
  try {
    return parseMounts(readFileSync(`/proc/${pid}/mountinfo`, "utf8"));
  } catch {
    return [];
  }
}

/** `mountinfo` with its escapes undone. */
export function parseMounts(text: string): { point: string; line: string }[] {
  return text.split("\n").map((line) => ({ line: unescape(line), point: unescape(line.split(" ")[4] ?? "") }));
}

/** The kernel writes blanks and backslashes in paths as octal escapes. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_match, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
