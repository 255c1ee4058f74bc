import os from "node:os";
import { exceededBy, resourcesOf, sumOfResources, type Resources } from "../../plan/index.ts";

/** What may run at the same time: so many functions, using no more than these resources together. */
export interface Limits extends Resources {
  jobs: number;
}

/** Limits as written under `engine` in fastloop.yaml; what is missing has a default. */
export interface DeclaredLimits {
  jobs?: number;
  limits?: Parameters<typeof resourcesOf>[0];
}

/** Fills in the defaults, which leave one core to the engine and the editor. */
export function limitsOf(declared: DeclaredLimits = {}, cpus = os.availableParallelism()): Limits {
  const spare = Math.max(1, cpus - 1);
  const resources = resourcesOf({ containers: 10, memory: "4GB", cpus: spare, ...declared.limits });
  return { ...resources, jobs: Math.max(1, declared.jobs ?? Math.min(spare, resources.containers)) };
}

/**
 * Returns the limit that keeps one more function from running beside the others; undefined if it fits. A function that
 * needs more than there is runs alone, as it would otherwise wait for ever.
 */
export function shortage(limits: Limits, running: readonly Resources[], next: Resources): string | undefined {
  if (running.length === 0) return undefined;
  const names = { containers: "containers", memoryBytes: "memory", cpus: "CPUs" } as const;
  const exceeded = exceededBy(limits, sumOfResources(running), next);
  return exceeded === undefined ? undefined : names[exceeded];
}
