import type { Container, Directory, Platform } from "@dagger.io/dagger";
import { parseConfig } from "../vendor/config.mjs";
import type { BaseImageConfig, Config } from "../vendor/config.mjs";
import { devImageName, imageOf } from "./images.ts";
import { baseFromLadder } from "./ladder.ts";
import { readLock } from "./lock.ts";
import { UserError } from "./user-error.ts";

/** Reads and parses `fastloop.yaml`. Throws a `UserError` that lists all problems with line, column and hint. */
export async function readProject(source: Directory): Promise<Config> {
  // Prefetch: most functions read the lock next. Its errors are reported by the call that needs it.
  readLock(source).catch(() => {});
  const text = await source.file("fastloop.yaml").contents();
  const { config, problems } = parseConfig(text);
  if (config !== undefined) return config;
  throw new UserError(
    problems
      .map((problem) => {
        const hint = problem.hint === undefined ? "" : ` (${problem.hint})`;
        return `fastloop.yaml:${problem.line}:${problem.column}: ${problem.message}${hint}`;
      })
      .join("\n"),
  );
}

/** Returns the project's name. */
export const nameOf = (config: Config): string => config.name ?? "project";

/** Returns the base image's configuration. Throws a `UserError` if there is none. */
export function baseOf(config: Config): BaseImageConfig {
  const base = config.images?.base;
  if (base === undefined) throw new UserError("fastloop.yaml: there is no `images.base`");
  return base;
}

/**
 * Returns the container that the dev image starts from: its own `base` or its preset's image, else the project's base
 * image.
 */
export async function devBase(
  config: Config,
  source: Directory,
  onMissing?: "build" | "fail",
  platform?: Platform,
): Promise<Container> {
  const base = config.images?.base;
  const own = devImageName(config.images?.dev ?? {}, base !== undefined);
  const lock = await readLock(source);
  if (own !== undefined) return imageOf(own, lock, platform);
  if (base === undefined)
    throw new UserError("fastloop.yaml: `images.dev` needs `images.base`, a `base` image or a `preset`");
  return baseFromLadder(base, lock, onMissing ?? base.onMissing ?? "build", platform);
}
