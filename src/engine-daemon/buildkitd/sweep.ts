/**
 * Cleans up after a daemon, buildkitd or registry that was killed: processes, containers, mounts, network addresses,
 * temporary files and sockets that belong to this state folder only. Runs under the lock, before anything is started.
 */
import { execFile } from "node:child_process";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { textIfThere } from "../../paths/index.ts";
import { UserError } from "../../errors/index.ts";
import { isRunning } from "../../state/index.ts";
import type { Log } from "./log.ts";
import { buildkitRoot, foreignFolder, leasesFolder, socketDir, temporaryRoot } from "../set-up/paths.ts";
import { cgroupName, isOfAnotherEngine } from "./memory-cgroup.ts";
import { forgetProcess, notedProcess } from "./process-file.ts";

/** Time for an orphaned process to end after SIGTERM, and again after SIGKILL. */
const graceMs = 5000;

export async function sweep(state: string, log: Log): Promise<void> {
  for (const name of ["buildkitd", "registry"] as const) {
    const pid = notedProcess(state, name);
    if (pid !== undefined) {
      log.write("engine", `ending ${name} (pid ${pid}), left by a daemon that died`);
      await end(pid);
    }
    forgetProcess(state, name);
  }
  await sweepContainers(state, log);
  await sweepTemporary(state, log);
  for (const name of ["control.sock", "buildkitd.sock", "otel.sock"]) {
    rmSync(path.join(socketDir(state), name), { force: true });
  }
}

/**
 * Kills the processes in containers of this state folder's BuildKit, unmounts its mounts and frees its network
 * addresses.
 */
export async function sweepContainers(state: string, log: Log): Promise<void> {
  if (process.platform !== "linux") return;
  const root = buildkitRoot(state);
  for (const pid of containerProcesses(root, cgroupName(state))) {
    log.write("engine", `killing process ${pid} of a container left behind`);
    kill(pid, "SIGKILL");
  }
  for (const mountPoint of mountsOf(root, mounts("self"))) await unmount(mountPoint, log);
  removeBundles(root, log);
  // No container has an address now. Each lease that stays would take one away forever.
  rmSync(leasesFolder(state), { recursive: true, force: true });
}

/**
 * Removes runc's bundles of containers that a killed buildkitd left. Their configuration contains the values of
 * variables, including secrets. BuildKit removes a bundle when the container ends, and never looks for old ones.
 */
function removeBundles(root: string, log: Log): void {
  for (const worker of namesIn(root, /^runc-[a-z]+$/)) {
    const executor = path.join(root, worker, "executor");
    for (const id of namesIn(executor, /^[a-z0-9]{25}$/)) {
      const bundle = path.join(executor, id);
      try {
        rmSync(path.join(bundle, "config.json"), { force: true });
        // Deleting the bundle would delete the content of its mounts too.
        if (mountsOf(bundle, mounts("self")).length === 0) rmSync(bundle, { recursive: true, force: true });
      } catch (error) {
        log.write("engine", `could not remove ${bundle}: ${(error as Error).message}`);
      }
    }
  }
}

function namesIn(folder: string, shape: RegExp): string[] {
  try {
    return readdirSync(folder).filter((name) => shape.test(name));
  } catch {
    return [];
  }
}

/** Removes temporary files of sessions and of buildkitd, which are worthless to the next daemon. */
async function sweepTemporary(state: string, log: Log): Promise<void> {
  const folder = temporaryRoot(state);
  // In the system's temporary folder, another user may have put something in its place.
  if (foreignFolder(path.dirname(folder)) !== undefined) return;
  const mountedThere = (): string[] =>
    mounts("self")
      .map(({ point }) => point)
      .filter((point) => point.startsWith(`${folder}/`))
      .sort((a, b) => b.length - a.length);
  for (const mountPoint of mountedThere()) await unmount(mountPoint, log);
  // Deleting the folder would delete the content of its mounts too.
  if (mountedThere().length === 0) rmSync(folder, { recursive: true, force: true });
}

async function unmount(mountPoint: string, log: Log): Promise<void> {
  await promisify(execFile)("umount", ["-l", mountPoint]).catch((error: Error) =>
    log.write("engine", `could not unmount ${mountPoint}: ${error.message}`),
  );
}

async function end(pid: number): Promise<void> {
  kill(pid, "SIGTERM");
  // A stopped process handles SIGTERM only after it continues.
  kill(pid, "SIGCONT");
  const deadline = Date.now() + graceMs;
  while (isRunning(pid) && Date.now() < deadline) await sleep(20);
  kill(pid, "SIGKILL");
  const killedBy = Date.now() + graceMs;
  while (isRunning(pid)) {
    if (Date.now() > killedBy)
      throw new UserError("engine-unavailable", `process ${pid} of the engine can't be killed`, {
        hint: "it waits for the machine, mostly for a disk: `fastloop engine logs` may say for what",
      });
    await sleep(5);
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}

/**
 * Returns the processes whose root file system is below the folder: an overlay with a lower layer there, or a bind
 * mount of it. Processes with the daemon's own root are excluded: in an engine's container every process has such a
 * root, the daemon included. Also excluded, by their cgroups, are processes of an engine in a chroot or a container
 * whose state folder has the same path.
 */
function containerProcesses(buildkitRoot: string, cgroup: string): number[] {
  const rootOf = (pid: number | "self"): string | undefined => mounts(pid).find(({ point }) => point === "/")?.line;
  const deviceOf = (line: string | undefined): string | undefined => line?.split(" ")[2];
  const own = deviceOf(rootOf("self"));
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const root = rootOf(pid);
      if (root === undefined || deviceOf(root) === own || !root.includes(`${buildkitRoot}/`)) return false;
      return !isOfAnotherEngine(textIfThere(`/proc/${pid}/cgroup`), cgroup);
    });
}

/**
 * Returns the mount points below the folder, the deepest first, including the temporary mounts of it that a killed
 * buildkitd left.
 */
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

/** Parses `mountinfo` and decodes its escapes. */
export function parseMounts(text: string): { point: string; line: string }[] {
  return text.split("\n").map((line) => ({ line: unescape(line), point: unescape(line.split(" ")[4] ?? "") }));
}

/** Decodes the octal escapes that the kernel writes for blanks and backslashes in paths. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_match, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
