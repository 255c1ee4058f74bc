import { lstatSync, readdirSync, readFileSync, statSync, type BigIntStats, type Stats } from "node:fs";
import { currentRecorder } from "./read-recorder.ts";

/**
 * Returns the `stat` result of a path; undefined if there is none for any reason, such as a link that leads to itself,
 * a name that is too long, or an inaccessible folder on the way. Node's own function throws for these.
 */
export function statIfThere(file: string): Stats | undefined {
  currentRecorder()?.kind(file);
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Does the same with times in nanoseconds. */
export function bigintStatIfThere(file: string): BigIntStats | undefined {
  currentRecorder()?.kind(file);
  try {
    return statSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Returns the names in a folder; none if it is not a readable folder. */
export function namesIfThere(folder: string): string[] {
  currentRecorder()?.times(folder);
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Returns the `lstat` result of a path, of a link itself; undefined if there is none. */
export function lstatIfThere(file: string): Stats | undefined {
  currentRecorder()?.link(file);
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Returns the text of a file of the system, such as one of `/proc`; empty if it cannot be read. */
export function textIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
