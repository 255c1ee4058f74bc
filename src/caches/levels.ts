/**
 * How much `cache clear` deletes. Each level includes the one before. A level is defined by what it deletes; how long
 * the next build takes depends on the project, and is estimated from its history.
 */
export const cacheLevels = ["soft", "medium", "hard", "nuke"] as const;
export type CacheLevel = (typeof cacheLevels)[number];

/** Kinds of stored data by location. Those of a `project` belong to this project alone. */
export const cacheClasses = {
  results: { level: "soft", whose: "project", what: "results of functions and calls, with logs and inputs" },
  hashes: { level: "soft", whose: "project", what: "content hashes of files" },
  volumes: { level: "medium", whose: "project", what: "cache volumes: dependencies, incremental builds" },
  engine: { level: "hard", whose: "everybody", what: "layers, sources and volumes in the engine" },
  mirror: { level: "nuke", whose: "everybody", what: "base images of the local registry" },
  tools: { level: "nuke", whose: "everybody", what: "programs that setup built" },
  modules: { level: "nuke", whose: "everybody", what: "parsed modules and their bundles" },
  history: { level: "nuke", whose: "project", what: "the run history and saved baselines" },
} as const satisfies Record<string, { level: CacheLevel; whose: "project" | "everybody"; what: string }>;
export type CacheClass = keyof typeof cacheClasses;

/** Returns what a level deletes. */
export function classesOf(level: CacheLevel): CacheClass[] {
  const depth = cacheLevels.indexOf(level);
  return (Object.keys(cacheClasses) as CacheClass[]).filter(
    (name) => cacheLevels.indexOf(cacheClasses[name].level) <= depth,
  );
}
