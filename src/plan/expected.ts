export interface ExpectedRun {
  name: string;
  needs: readonly string[];
  /** Undefined before the first passed run. */
  expectedMs: number | undefined;
}

/**
 * Returns how long the runs take together in milliseconds, with `jobs` at a time and each after its needs, in the order
 * of the plan, as the loop starts them. Undefined if the duration of one is unknown.
 */
export function expectedTotalMs(runs: readonly ExpectedRun[], jobs: number): number | undefined {
  const freeAt = Array.from({ length: jobs }, () => 0);
  const endsAt = new Map<string, number>();
  for (const { name, needs, expectedMs } of runs) {
    if (expectedMs === undefined) return undefined;
    const slot = freeAt.indexOf(Math.min(...freeAt));
    const start = Math.max(freeAt[slot]!, ...needs.map((need) => endsAt.get(need) ?? 0));
    freeAt[slot] = start + expectedMs;
    endsAt.set(name, start + expectedMs);
  }
  return Math.max(0, ...freeAt);
}
