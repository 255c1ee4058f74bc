import { dag } from "@dagger.io/dagger";
import type { CacheVolume, Container } from "@dagger.io/dagger";

/** How steps use cache volumes. */
export interface CacheUse {
  /** Appended to the volumes' names: a new epoch starts with empty volumes and leaves the old ones alone. */
  epoch?: string;
}

export const cacheVolume = (name: string, { epoch }: CacheUse = {}): CacheVolume =>
  dag.cacheVolume(`fastloop-${name}${epoch === undefined ? "" : `-${epoch}`}`);

/** Runs shell commands as one step: any failing command fails it. Caches are mounted for this step only. */
export function run(
  container: Container,
  commands: readonly string[],
  caches: Record<string, string> = {},
  { epoch }: CacheUse = {},
): Container {
  const mounts = Object.entries(caches);
  const mounted = mounts.reduce((c, [name, path]) => c.withMountedCache(path, cacheVolume(name, { epoch })), container);
  // A volume's name is no part of a step's cache key, so a new epoch must be part of the command.
  const script = epoch === undefined ? commands : [`: epoch ${epoch}`, ...commands];
  const done = mounted.withExec(["sh", "-ec", script.join("\n")]);
  return mounts.reduce((c, [, path]) => c.withoutMount(path), done);
}
