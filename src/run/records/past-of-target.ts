import { hasPassed, type TargetHistory } from "../../plan/index.ts";
import type { RunRecord } from "./records.ts";

/** The past runs of each target, in the order in which they counted. */
export class PastOfTarget {
  /** Runs of a target, newest first. With a digest, runs with another digest may be left out. */
  private readonly runsOf: (target: string, digest?: string) => Iterable<RunRecord>;
  /** For each target, the run that counts again since an edit was undone, and the newest run at that time. */
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

  /**
   * Records that the files are those of this digest again and nothing had to run: the next state is compared with that
   * run.
   */
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
  // A cancelled run says nothing about its state.
  for (const record of runs) if (record.outcome !== "cancelled" && wanted(record)) return record;
  return undefined;
}
