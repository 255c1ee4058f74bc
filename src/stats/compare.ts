import type { FunctionFigures, Statistics } from "./summarize.ts";

/** A function in two periods. Changes are relative: 0.2 is a fifth more than before. */
export interface Compared {
  name: string;
  before?: FunctionFigures;
  now?: FunctionFigures;
  /** Change of the median duration. */
  p50Change?: number;
  p95Change?: number;
  /** Difference of two shares: 0.1 is ten percentage points more. */
  hitRateChange?: number;
  failureRateChange?: number;
}

/** Compares every function of either period; those that changed most come first. */
export function compareStatistics(before: Statistics, now: Statistics): Compared[] {
  const names = new Set([...now.functions, ...before.functions].map(({ name }) => name));
  return [...names]
    .map((name) =>
      compared(
        name,
        before.functions.find((figures) => figures.name === name),
        now.functions.find((figures) => figures.name === name),
      ),
    )
    .sort((a, b) => Math.abs(b.p50Change ?? 0) - Math.abs(a.p50Change ?? 0) || a.name.localeCompare(b.name));
}

function compared(name: string, before: FunctionFigures | undefined, now: FunctionFigures | undefined): Compared {
  const changes = {
    p50Change: ratio(before?.duration?.p50Ms, now?.duration?.p50Ms),
    p95Change: ratio(before?.duration?.p95Ms, now?.duration?.p95Ms),
    hitRateChange: difference(before?.hitRate, now?.hitRate),
    failureRateChange: difference(before?.failureRate, now?.failureRate),
  };
  return {
    name,
    ...(before === undefined ? {} : { before }),
    ...(now === undefined ? {} : { now }),
    ...Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
  };
}

const ratio = (before: number | undefined, now: number | undefined): number | undefined =>
  before === undefined || now === undefined || before === 0 ? undefined : now / before - 1;

const difference = (before: number | undefined, now: number | undefined): number | undefined =>
  before === undefined || now === undefined ? undefined : now - before;
