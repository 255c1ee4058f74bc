import { dag } from "@dagger.io/dagger";
import type { Container } from "@dagger.io/dagger";

/** Runs shell commands as one step: any failing command fails it. Caches are mounted for this step only. */
export function run(container: Container, commands: readonly string[], caches: Record<string, string> = {}): Container {
  const mounts = Object.entries(caches);
  const mounted = mounts.reduce((c, [name, path]) => c.withMountedCache(path, dag.cacheVolume(`fastloop-${name}`)), container);
  const done = mounted.withExec(["sh", "-ec", commands.join("\n")]);
  return mounts.reduce((c, [, path]) => c.withoutMount(path), done);
}
