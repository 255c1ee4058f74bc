import { readConfigFile } from "./load.ts";
import type { ConfigProblem, ParsedConfig } from "./types.ts";

/** All problems of one file, and how long each level of checks took, in milliseconds. */
export interface ConfigCheck {
  problems: ConfigProblem[];
  tookMs: Partial<Record<ConfigProblem["level"], number>>;
}

/** Checks a file and returns all of its problems. */
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

/** Returns the position of the value at `path`, or of `word` in it, if present; 1-based. */
export async function placeInConfig(
  text: string,
  path: readonly string[],
  word?: string,
): Promise<{ line: number; column: number }> {
  return (await placesInConfig(text))(path, word);
}

/** Does the same as `placeInConfig` for many places, parsing the text once. */
export async function placesInConfig(
  text: string,
): Promise<(path: readonly string[], word?: string) => { line: number; column: number }> {
  const { placesIn } = await import("./parse.ts");
  return placesIn(text);
}

/** Parses the text of a `fastloop.yaml` that is not in a file. */
export async function parsedConfig(text: string): Promise<ParsedConfig> {
  const { parseConfig } = await import("./parse.ts");
  return parseConfig(text);
}
