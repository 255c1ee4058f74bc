/** What a file says of a process: a pid alone is another process's once that one has ended. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";

/** Whether a process has this pid; one of another user counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** When the process started, in kernel ticks since the machine did; empty where that can't be told. */
export function startTicks(pid: number): string {
  return statusFields(pid)[19] ?? "";
}

/** Its state as one letter: `T` is stopped, `Z` has ended and waits for its parent to ask how; empty where unknown. */
export function processState(pid: number): string {
  return statusFields(pid)[0] ?? "";
}

/** Whether it still does something, or could: what has ended and is only counted by its parent does not. */
export function isRunning(pid: number): boolean {
  return isAlive(pid) && !["Z", "X"].includes(processState(pid));
}

/**
 * What tells a process from every other one that ever had its pid, on this machine: start and boot. Empty where there is no
 * such process.
 */
export function processMark(pid: number): string {
  if (process.platform === "linux") {
    const ticks = startTicks(pid);
    return ticks === "" ? "" : `${ticks}@${read("/proc/sys/kernel/random/boot_id").trim()}`;
  }
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return "";
  }
}

/** Fields of /proc/PID/stat from the third on; its second one, a name, may have blanks and parentheses in it. */
function statusFields(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat === "" ? [] : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
