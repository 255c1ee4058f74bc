import { readConfigFile } from "./load.ts";
import type { ConfigProblem } from "./types.ts";

/** All problems of one file, and how long it took to find them. */
export interface ConfigCheck {
  problems: ConfigProblem[];
  tookMs: number;
}

/** Checks a file without stopping at the first problem. */
export async function checkConfigFile(file: string): Promise<ConfigCheck> {
  const startedMs = performance.now();
  const { parseConfig } = await import("./parse.ts");
  const { problems } = parseConfig(readConfigFile(file));
  return { problems, tookMs: performance.now() - startedMs };
}

/** Where the value at `path` is in the file; the place of `word` in it, where it is there. Counts from 1. */
export async function placeInConfig(
  text: string,
  path: readonly string[],
  word?: string,
): Promise<{ line: number; column: number }> {
  const { placeOf } = await import("./parse.ts");
  return placeOf(text, path, word);
}
