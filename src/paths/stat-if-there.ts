import { lstatSync, readdirSync, statSync, type BigIntStats, type Stats } from "node:fs";

/**
 * What a path leads to; undefined where that is nothing, whatever keeps it from being something: a link that leads to itself, a
 * name that is too long, a folder on the way that may not be entered. Of Node's own form those are errors.
 */
export function statIfThere(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The same with times in nanoseconds. */
export function bigintStatIfThere(file: string): BigIntStats | undefined {
  try {
    return statSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Names in a folder; none where that is no folder that can be read. */
export function namesIfThere(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What has this name, a link among it. */
export function lstatIfThere(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
