/**
 * Which process the daemon is, and which are its children, for those who come when it does not answer or is gone. A file
 * names a process by pid and mark (start and boot): the next process of that pid is never taken for it.
 */
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { isRunning, processMark } from "../../state/index.ts";
import { writeFileAtomically } from "../../tree/index.ts";

export type ProcessName = "daemon" | "buildkitd" | "registry";

const fileOf = (state: string, name: ProcessName): string => path.join(state, `${name}.pid`);

/** Throws where it can't be written: nothing would know of the process any more. */
export function noteProcess(state: string, name: ProcessName, pid: number): void {
  writeFileAtomically(fileOf(state, name), `${pid}\n${processMark(pid)}\n`, 0o600);
}

export function forgetProcess(state: string, name: ProcessName): void {
  rmSync(fileOf(state, name), { force: true });
}

/** Its pid while it runs; undefined for one that has ended, and for what no daemon wrote. */
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
