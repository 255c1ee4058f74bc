/** What a cycle is made of: commands, in order. */
import type { CacheLevel } from "../caches/index.ts";

export const cycles = {
  fast: { clears: undefined, what: "caches are kept (the default)" },
  clean: { clears: "medium", what: "the project's results and cache volumes are cleared first" },
  nuclear: { clears: "nuke", what: "everything is cleared first, base images too" },
} as const satisfies Record<string, { clears: CacheLevel | undefined; what: string }>;
export type Cycle = keyof typeof cycles;

export interface CycleFacts {
  /** Of the module, as the command line names them. */
  functions: readonly string[];
  hasImage: boolean;
  hasServices: boolean;
  /** The user has said yes to deleting what all projects share. */
  yes: boolean;
  /** Options that every step has. */
  shared: readonly string[];
}

/** Nothing is cleared but what the kind names: no more than that is ever anybody's intention. */
export function cycleSteps(kind: Cycle, { functions, hasImage, hasServices, yes, shared }: CycleFacts): string[][] {
  const { clears } = cycles[kind];
  return [
    ...(clears === undefined ? [] : [["cache", "clear", "--level", clears, ...(yes ? ["--yes"] : []), ...shared]]),
    ...(kind === "nuclear" && functions.includes("build-base") ? [["call", ...shared, "build-base", "sync"]] : []),
    ...(hasImage && functions.includes("build-dev") ? [["call", ...shared, "build-dev", "sync"]] : []),
    ["run", ...shared],
    ...(hasServices ? [["up", "--detach", ...shared]] : []),
  ];
}
