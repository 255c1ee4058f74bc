import os from "node:os";
import { exceededBy, resourcesOf, sumOfResources, type Resources } from "../../plan/index.ts";

/** What may run at a time: so many functions, and together no more than these resources. */
export interface Limits extends Resources {
  jobs: number;
}

/** As written under `engine` in fastloop.yaml; what is left out is the default. */
export interface DeclaredLimits {
  jobs?: number;
  limits?: Parameters<typeof resourcesOf>[0];
}

/** One core stays free for the engine and the editor. */
export function limitsOf(declared: DeclaredLimits = {}, cpus = os.availableParallelism()): Limits {
  const spare = Math.max(1, cpus - 1);
  const resources = resourcesOf({ containers: 10, memory: "4GB", cpus: spare, ...declared.limits });
  return { ...resources, jobs: Math.max(1, declared.jobs ?? Math.min(spare, resources.containers)) };
}

/**
 * Which limit keeps one more from running beside those that do; undefined when it fits. What takes more than there is
 * runs alone: else it would wait for ever.
 */
export function shortage(limits: Limits, running: readonly Resources[], next: Resources): string | undefined {
  if (running.length === 0) return undefined;
  const names = { containers: "containers", memoryBytes: "memory", cpus: "CPUs" } as const;
  const exceeded = exceededBy(limits, sumOfResources(running), next);
  return exceeded === undefined ? undefined : names[exceeded];
}
