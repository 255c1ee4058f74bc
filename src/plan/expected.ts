export interface ExpectedRun {
  name: string;
  needs: readonly string[];
  /** Undefined: it has not passed yet, so nobody knows. */
  expectedMs: number | undefined;
}

/**
 * How long runs take together, so many at a time, each after what it needs. In the order of the plan, as the loop starts
 * them; undefined where one of them is not known.
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
