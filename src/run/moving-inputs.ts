import type { FinishedNotice } from "./events.ts";

/** Without a watch somebody waits for the end: a function whose inputs never rest fails after so many runs. */
const runsOnMovingInputs = 6;

/** Counts the runs of each function in one command, and says when it is enough. */
export class MovingInputs {
  private readonly runs = new Map<string, number>();
  private readonly givenUp = new Set<string>();

  started(name: string): void {
    this.runs.set(name, (this.runs.get(name) ?? 0) + 1);
  }

  /** What is told of a run: of the last one that is allowed, that nothing can be said of the function. */
  judge(finished: FinishedNotice): FinishedNotice {
    return finished.fresh || !this.isEnough(finished.name) ? finished : this.failed(finished, finished.moved ?? []);
  }

  /** Whether no other run follows, though inputs changed. */
  isEnough(name: string): boolean {
    return (this.runs.get(name) ?? 0) >= runsOnMovingInputs;
  }

  /** Its inputs changed once too often. */
  failed(finished: FinishedNotice, moved: readonly string[]): FinishedNotice {
    this.givenUp.add(finished.name);
    const files = moved.length === 0 ? "" : `: ${moved.slice(0, 3).join(", ")}`;
    const error = {
      message: `its inputs changed during or after each of ${runsOnMovingInputs} runs${files}`,
      exitCode: 1,
    };
    return { ...finished, outcome: "failed", fresh: true, moved: undefined, value: undefined, error };
  }

  hasGivenUp(name: string): boolean {
    return this.givenUp.has(name);
  }
}
