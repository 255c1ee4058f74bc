import { sizeBytes, type TierName, type WatchTarget } from "../config/index.ts";

/**
 * What fastloop keeps true: named calls of the module's functions. They come from `watch.targets` of fastloop.yaml or,
 * without it, from the module's `@check` functions; every command (run, plan, why, affected, watch) resolves them here.
 */
export interface Target {
  /** The key in `watch.targets`, else the function's kebab-case name. */
  name: string;
  /** The call in words, in the grammar of `dagger call`: `["test", "--source", ".", "--suite", "lib"]`. */
  call: string[];
  /** A generator as a check: its call tells whether it leaves everything as it is, and fails where it does not. */
  isGenerator?: true;
  /** Targets that must be current before this one runs; it runs again when they did. */
  needs: string[];
  /**
   * Patterns relative to the project: only files that match concern this target, ignored ones included when named.
   * They take the place of the directories that the call reads; without them those directories decide.
   */
  inputs?: string[];
  /** Names of host variables that are part of the digest (their values only as part of it, never shown). */
  environment: string[];
  /** What a newer edit does to a run that it made stale. */
  policy: RunPolicy;
  timeoutMs?: number;
  /** Which `run --tier` takes it. */
  tier: TierName;
  /** How often a failed run is tried again. */
  retries: number;
  /** What a run takes of the project's limits. */
  uses: Resources;
  /** Quiet time of its own, longer than the watch's. */
  debounceMs?: number;
  /** Where it is declared: `fastloop.yaml` or the module's `file:line`. */
  place: string;
}

/** Which functions `check` is about: an engine takes generators for checks, too. */
export type CheckKinds = "all" | "functions" | "generators";

/** `restart` cancels the stale run at once; `queue` lets it end and then runs on the newest files. */
export type RunPolicy = "restart" | "queue";

/** What runs take together at most, or what one takes: 0 where nothing is declared. */
export interface Resources {
  containers: number;
  memoryBytes: number;
  cpus: number;
}

const resourceKeys = ["containers", "memoryBytes", "cpus"] as const;

/** What several functions take together. */
export function sumOfResources(all: readonly Resources[]): Resources {
  const sum = (key: keyof Resources): number => all.reduce((total, one) => total + one[key], 0);
  return { containers: sum("containers"), memoryBytes: sum("memoryBytes"), cpus: sum("cpus") };
}

/** What of the limits one more would exceed; undefined when it fits. */
export function exceededBy(limits: Resources, used: Resources, request: Resources): keyof Resources | undefined {
  return resourceKeys.find((key) => request[key] > 0 && used[key] + request[key] > limits[key]);
}

/** As written in fastloop.yaml. */
export function resourcesOf(declared: NonNullable<WatchTarget["uses"]>): Resources {
  const { containers = 0, memory, cpus = 0 } = declared;
  return { containers, memoryBytes: memory === undefined ? 0 : sizeBytes(memory), cpus };
}
