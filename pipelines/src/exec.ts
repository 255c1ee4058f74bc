import { dag } from "@dagger.io/dagger";
import type { CacheVolume, Container } from "@dagger.io/dagger";

/** How a step uses cache volumes. */
export interface CacheUse {
  /** Suffix of the volumes' names. A new epoch starts with empty volumes and does not touch the old ones. */
  epoch?: string;
}

export const cacheVolume = (name: string, { epoch }: CacheUse = {}): CacheVolume =>
  dag.cacheVolume(`fastloop-${name}${epoch === undefined ? "" : `-${epoch}`}`);

/** Lines that run before and after the user's commands, kept apart from them, because messages show only the user's. */
export interface OwnLines {
  before?: readonly string[];
  after?: readonly string[];
}

/**
 * Runs shell commands as one step, which fails with the first command that fails. `caches` maps names of cache volumes
 * to paths; they are mounted for this step only.
 */
export function run(
  container: Container,
  commands: readonly string[],
  caches: Record<string, string> = {},
  { epoch, before = [], after = [] }: CacheUse & OwnLines = {},
): Container {
  const mounts = Object.entries(caches);
  const mounted = mounts.reduce((c, [name, path]) => c.withMountedCache(path, cacheVolume(name, { epoch })), container);
  // Names of cache volumes are not part of a step's cache key, so the epoch is put into the command.
  const first = epoch === undefined ? before : [`: epoch ${epoch}`, ...before];
  const done = mounted.withExec(shellCommand(commands.join("\n"), { before: first, after }));
  return mounts.reduce((c, [, path]) => c.withoutMount(path), done);
}

/**
 * Returns the exec of the user's script: the script itself, or the argument of one with the lines around it.
 * `execMessage` and `shortName` of fastloop recognize this form.
 */
export function shellCommand(script: string, { before = [], after = [] }: OwnLines): string[] {
  if (before.length === 0 && after.length === 0) return ["sh", "-ec", script];
  return ["sh", "-ec", [...before, 'eval "$1"', ...after].join("\n"), "sh", script];
}
