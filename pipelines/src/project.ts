import type { Directory } from "@dagger.io/dagger";
import { parseConfig } from "../vendor/config.mjs";
import type { Config } from "../vendor/config.mjs";

/** Reads the project's `fastloop.yaml` out of its tree; refuses a bad one with every place and hint. */
export async function readProject(source: Directory): Promise<Config> {
  const text = await source.file("fastloop.yaml").contents();
  const { config, problems } = parseConfig(text);
  if (config !== undefined) return config;
  throw new Error(
    problems
      .map((problem) => {
        const hint = problem.hint === undefined ? "" : ` (${problem.hint})`;
        return `fastloop.yaml:${problem.line}:${problem.column}: ${problem.message}${hint}`;
      })
      .join("\n"),
  );
}
