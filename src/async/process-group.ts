import type { ChildProcess } from "node:child_process";

/**
 * Sends a signal to the process group of a child that was started as the leader of its own (`detached`); 0 only tests.
 * Returns whether the group exists. Windows has no groups; there the child alone gets it.
 */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.platform === "win32" ? child.kill(signal) : process.kill(-child.pid, signal);
  } catch {
    return false;
  }
}
