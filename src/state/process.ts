/** Identifies processes in files. A pid alone is not enough: it may belong to another process later. */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { textIfThere } from "../paths/index.ts";

/** Reports whether a process has this pid, including processes of other users. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Returns when the process started, in kernel ticks since boot; empty if unknown. */
export function startTicks(pid: number): string {
  return statusFields(pid)[19] ?? "";
}

/**
 * Returns the process state as one letter: `T` is stopped, `Z` has ended and waits for its parent; empty if unknown.
 */
export function processState(pid: number): string {
  return statusFields(pid)[0] ?? "";
}

/** Reports whether the process can still do something, unlike one that has ended and waits for its parent. */
export function isRunning(pid: number): boolean {
  return isAlive(pid) && !["Z", "X"].includes(processState(pid));
}

/**
 * Returns a mark that no other process with this pid ever had on this host: start time and boot. Empty if there is no
 * such process.
 */
export function processMark(pid: number): string {
  if (process.platform === "linux") {
    const ticks = startTicks(pid);
    return ticks === "" ? "" : `${ticks}@${textIfThere("/proc/sys/kernel/random/boot_id").trim()}`;
  }
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return "";
  }
}

/** Returns the fields of /proc/PID/stat from the third on; the second, a name, may contain blanks and parentheses. */
function statusFields(pid: number): string[] {
  const stat = textIfThere(`/proc/${pid}/stat`);
  return stat === "" ? [] : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
