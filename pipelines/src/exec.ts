import { dag } from "@dagger.io/dagger";
import type { CacheVolume, Container } from "@dagger.io/dagger";

/** How steps use cache volumes. */
export interface CacheUse {
  /** Appended to the volumes' names: a new epoch starts with empty volumes and leaves the old ones alone. */
  epoch?: string;
}

export const cacheVolume = (name: string, { epoch }: CacheUse = {}): CacheVolume =>
  dag.cacheVolume(`fastloop-${name}${epoch === undefined ? "" : `-${epoch}`}`);

/** Lines of ours around the user's commands: what is told of a step are these, so ours stand apart from them. */
export interface OwnLines {
  before?: readonly string[];
  after?: readonly string[];
}

/** Runs shell commands as one step: any failing command fails it. Caches are mounted for this step only. */
export function run(
  container: Container,
  commands: readonly string[],
  caches: Record<string, string> = {},
  { epoch, before = [], after = [] }: CacheUse & OwnLines = {},
): Container {
  const mounts = Object.entries(caches);
  const mounted = mounts.reduce((c, [name, path]) => c.withMountedCache(path, cacheVolume(name, { epoch })), container);
  // A volume's name is no part of a step's cache key, so a new epoch must be part of the command.
  const first = epoch === undefined ? before : [`: epoch ${epoch}`, ...before];
  const done = mounted.withExec(shellCommand(commands.join("\n"), { before: first, after }));
  return mounts.reduce((c, [, path]) => c.withoutMount(path), done);
}

/** The user's script as it is, or as the argument of ours (`execMessage` and `shortName` of fastloop know this form). */
export function shellCommand(script: string, { before = [], after = [] }: OwnLines): string[] {
  if (before.length === 0 && after.length === 0) return ["sh", "-ec", script];
  return ["sh", "-ec", [...before, 'eval "$1"', ...after].join("\n"), "sh", script];
}
