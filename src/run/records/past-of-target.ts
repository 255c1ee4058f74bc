import { hasPassed, type TargetHistory } from "../../plan/index.ts";
import type { RunRecord } from "./records.ts";

/** What the runs of each target say of its past, in the order in which they counted. */
export class PastOfTarget {
  /** The newest first; with a digest those of others may be missing. */
  private readonly runsOf: (target: string, digest?: string) => Iterable<RunRecord>;
  /** Of each target, what counts again since an edit was taken back, and its newest run by then. */
  private readonly again = new Map<string, { record: RunRecord; newest: RunRecord }>();

  constructor(runsOf: (target: string, digest?: string) => Iterable<RunRecord>) {
    this.runsOf = runsOf;
  }

  of(target: string): TargetHistory {
    const asTheyCounted = (): Iterable<RunRecord> => this.asTheyCounted(target);
    return {
      get last() {
        return find(asTheyCounted(), () => true);
      },
      get lastPassed() {
        return find(asTheyCounted(), hasPassed);
      },
      lastOf: (digest) => find(this.runsOf(target, digest), (record) => record.digest === digest),
    };
  }

  /** The files are those of this digest, and nothing had to run: what comes next is compared with that run. */
  countsAgain(target: string, digest: string): void {
    const [newest] = this.runsOf(target);
    const record = find(this.runsOf(target, digest), (one) => one.digest === digest);
    if (newest !== undefined && record !== undefined && hasPassed(record)) this.again.set(target, { record, newest });
  }

  private *asTheyCounted(target: string): Generator<RunRecord> {
    const again = this.again.get(target);
    for (const record of this.runsOf(target)) {
      if (record === again?.newest) yield again.record;
      yield record;
    }
  }
}

function find(runs: Iterable<RunRecord>, wanted: (record: RunRecord) => boolean): RunRecord | undefined {
  // A run that was cancelled says nothing about its state.
  for (const record of runs) if (record.outcome !== "cancelled" && wanted(record)) return record;
  return undefined;
}
