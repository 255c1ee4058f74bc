/** Reads what a workflow file depends on from the repository. */
import { existsSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { loadConfig, type Config } from "../../config/index.ts";
import { readRegular } from "../../paths/index.ts";
import type { CiDeploy, CiOptions } from "./ci.ts";
import { originOf } from "./origin.ts";

declare const __FASTLOOP_VERSION__: string;

/**
 * Returns the options for workflow files. `first` is the text of a fastloop.yaml that is about to be written;
 * undefined: the existing file is read.
 */
export async function ciOptions(
  root: string,
  { callsDagger, first }: { callsDagger: boolean; first: string | undefined },
): Promise<CiOptions> {
  const config = await configOf(root, first);
  const { defaultBranch = "main", imageRepository } = originOf(root);
  return {
    version: __FASTLOOP_VERSION__,
    isDependency: dependsOnUs(root),
    callsDagger,
    tier: lastTier(config),
    defaultBranch,
    ...(config.images?.base?.registry === undefined ? {} : { baseRegistry: config.images.base.registry }),
    ...(imageRepository === undefined ? {} : { cache: `${imageRepository}/cache:latest` }),
    deploys: deploysOf(config),
  };
}

/** Returns the configuration of fastloop.yaml, or of the text that is about to be written. */
export async function configOf(root: string, first: string | undefined): Promise<Partial<Config>> {
  return first === undefined ? (await loadConfig({ cwd: root })).config : (parse(first) as Partial<Config>);
}

/** Returns the last tier of any suite; each tier includes those before it. */
function lastTier(config: Partial<Config>): NonNullable<CiOptions["tier"]> {
  const tiers = Object.values(config.tests?.suites ?? {}).flatMap((suite) => Object.keys(suite.tiers ?? {}));
  return (["full", "fast", "smoke"] as const).find((tier) => tiers.includes(tier)) ?? "full";
}

/**
 * Returns the environments that CI deploys to: those with a context, which are no local clusters. Production comes
 * last.
 */
function deploysOf({ deploy, publish }: Partial<Config>): CiDeploy[] {
  const isPublished = publish?.image !== undefined;
  return Object.entries(deploy?.environments ?? {})
    .filter(([, { context }]) => context !== undefined)
    .map(([name, { production }]) => ({ name, isProduction: production === true, isPublished }))
    .toSorted((a, b) => Number(a.isProduction) - Number(b.isProduction));
}

/** Reports whether package.json depends on fastloop and an npm lock file pins its version. */
function dependsOnUs(root: string): boolean {
  try {
    const { dependencies, devDependencies } = JSON.parse(
      readRegular(path.join(root, "package.json")).toString("utf8"),
    ) as Record<string, Record<string, string> | undefined>;
    return (
      existsSync(path.join(root, "package-lock.json")) &&
      { ...dependencies, ...devDependencies }["fastloop"] !== undefined
    );
  } catch {
    return false;
  }
}
