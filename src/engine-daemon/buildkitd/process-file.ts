/**
 * Records the daemon's and its children's processes, for others to find when the daemon does not answer or is gone. A
 * file identifies a process by pid and mark (start time and boot), so that a later process with the same pid is never
 * mistaken for it.
 */
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { isRunning, processMark } from "../../state/index.ts";
import { writeFileAtomically } from "../../tree/index.ts";

export type ProcessName = "daemon" | "buildkitd" | "registry";

const fileOf = (state: string, name: ProcessName): string => path.join(state, `${name}.pid`);

/** Records a process. Throws when the file cannot be written, because nothing would know about the process. */
export function noteProcess(state: string, name: ProcessName, pid: number): void {
  writeFileAtomically(fileOf(state, name), `${pid}\n${processMark(pid)}\n`, 0o600);
}

export function forgetProcess(state: string, name: ProcessName): void {
  rmSync(fileOf(state, name), { force: true });
}

/** Returns the pid of a recorded process while it runs. Undefined when it has ended or the file is not a daemon's. */
export function notedProcess(state: string, name: ProcessName): number | undefined {
  let text: string;
  try {
    text = readFileSync(fileOf(state, name), "utf8");
  } catch {
    return undefined;
  }
  const [, number, mark] = /^([1-9]\d{0,9})\n(\S.*)\n$/.exec(text) ?? [];
  const pid = Number(number);
  return mark !== undefined && isRunning(pid) && processMark(pid) === mark ? pid : undefined;
}
