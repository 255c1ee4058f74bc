import { sizeBytes, type TierName, type WatchTarget } from "../config/index.ts";

/**
 * What fastloop keeps up to date: named calls of the module's functions. They come from `watch.targets` of
 * fastloop.yaml or, without it, from the module's `@check` functions; every command (run, plan, why, affected, watch)
 * resolves them here.
 */
export interface Target {
  /** Key in `watch.targets`, else the function's kebab-case name. */
  name: string;
  /** Words of the call, in the grammar of `dagger call`: `["test", "--source", ".", "--suite", "lib"]`. */
  call: string[];
  /** A generator used as a check: its call reports whether it changes nothing, and fails otherwise. */
  isGenerator?: true;
  /** Targets that must be up to date before this one runs; it runs again after they did. */
  needs: string[];
  /**
   * Patterns relative to the project: only matching files affect this target, including ignored ones if named. They
   * replace the directories that the call reads, which decide without them.
   */
  inputs?: string[];
  /** Names of host variables that are part of the digest; their values are never shown. */
  environment: string[];
  /** What a newer edit does to a run that it made stale. */
  policy: RunPolicy;
  timeoutMs?: number;
  /** Tier in which `run --tier` includes it. */
  tier: TierName;
  /** How often a failed run is tried again. */
  retries: number;
  /** Resources of the project's limits that a run takes. */
  uses: Resources;
  /** Quiet time of its own, longer than the watch's. */
  debounceMs?: number;
  /** Where it is declared: `fastloop.yaml`, or the module's `file:line`. */
  place: string;
}

/** Functions that `check` covers: like an engine, it can include generators. */
export type CheckKinds = "all" | "functions" | "generators";

/** `restart` cancels the stale run at once; `queue` lets it finish, and then runs on the newest files. */
export type RunPolicy = "restart" | "queue";

/** Resources that runs may take together, or that one takes; 0 if not declared. */
export interface Resources {
  containers: number;
  memoryBytes: number;
  cpus: number;
}

const resourceKeys = ["containers", "memoryBytes", "cpus"] as const;

/** Returns what several functions take together. */
export function sumOfResources(all: readonly Resources[]): Resources {
  const sum = (key: keyof Resources): number => all.reduce((total, one) => total + one[key], 0);
  return { containers: sum("containers"), memoryBytes: sum("memoryBytes"), cpus: sum("cpus") };
}

/** Returns the limit that one more would exceed; undefined if it fits. */
export function exceededBy(limits: Resources, used: Resources, request: Resources): keyof Resources | undefined {
  return resourceKeys.find((key) => request[key] > 0 && used[key] + request[key] > limits[key]);
}

/** Converts resources as written in fastloop.yaml. */
export function resourcesOf(declared: NonNullable<WatchTarget["uses"]>): Resources {
  const { containers = 0, memory, cpus = 0 } = declared;
  return { containers, memoryBytes: memory === undefined ? 0 : sizeBytes(memory), cpus };
}
