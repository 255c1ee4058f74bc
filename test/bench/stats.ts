/** The q-quantile (0..1) of unsorted samples, by linear interpolation. NaN for no samples. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * q;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** Runs `body` `times` times and gives each duration in milliseconds. */
export async function samples(times: number, body: (round: number) => Promise<void> | void): Promise<number[]> {
  const durations: number[] = [];
  for (let round = 0; round < times; round++) {
    const start = performance.now();
    await body(round);
    durations.push(performance.now() - start);
  }
  return durations;
}
