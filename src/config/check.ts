import { readConfigFile } from "./load.ts";
import type { ConfigProblem, ParsedConfig } from "./types.ts";

/** All problems of one file, and how long each level took that was looked at. */
export interface ConfigCheck {
  problems: ConfigProblem[];
  tookMs: Partial<Record<ConfigProblem["level"], number>>;
}

/** Checks a file without stopping at the first problem. */
export async function checkConfigFile(file: string): Promise<ConfigCheck> {
  const tookMs: ConfigCheck["tookMs"] = {};
  let sinceMs = performance.now();
  const ended = (level: ConfigProblem["level"]): void => {
    const nowMs = performance.now();
    tookMs[level] = nowMs - sinceMs;
    sinceMs = nowMs;
  };
  const { parseConfig } = await import("./parse.ts");
  const { problems } = parseConfig(readConfigFile(file), ended);
  ended(problems[0]?.level ?? "semantic");
  return { problems, tookMs };
}

/** Where the value at `path` is in the file; the place of `word` in it, where it is there. Counts from 1. */
export async function placeInConfig(
  text: string,
  path: readonly string[],
  word?: string,
): Promise<{ line: number; column: number }> {
  return (await placesInConfig(text))(path, word);
}

/** As `placeInConfig`, for many places: the text is parsed once. */
export async function placesInConfig(
  text: string,
): Promise<(path: readonly string[], word?: string) => { line: number; column: number }> {
  const { placesIn } = await import("./parse.ts");
  return placesIn(text);
}

/** What the text of a `fastloop.yaml` says that lies in no file. */
export async function parsedConfig(text: string): Promise<ParsedConfig> {
  const { parseConfig } = await import("./parse.ts");
  return parseConfig(text);
}
