import type { Container, Directory, Platform } from "@dagger.io/dagger";
import { parseConfig } from "../vendor/config.mjs";
import type { BaseImageConfig, Config } from "../vendor/config.mjs";
import { devImageName, imageOf } from "./images.ts";
import { baseFromLadder } from "./ladder.ts";
import { readLock } from "./lock.ts";
import { UserError } from "./user-error.ts";

/** Reads the project's `fastloop.yaml` out of its tree; refuses a bad one with every place and hint. */
export async function readProject(source: Directory): Promise<Config> {
  // Most functions want the lock next: both are read in one round trip's time. Who needs it is told what is wrong with it.
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

export const nameOf = (config: Config): string => config.name ?? "project";

export function baseOf(config: Config): BaseImageConfig {
  const base = config.images?.base;
  if (base === undefined) throw new UserError("fastloop.yaml: there is no `images.base`");
  return base;
}

/** The container that the dev image starts from: an image of its own, or the base down its ladder. */
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
