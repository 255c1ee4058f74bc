import type { FinishedNotice } from "./events.ts";

const runsOnMovingInputs = 3;

/** Without a watch nobody waits for files to rest: a function whose inputs never do fails after a few runs. */
export class MovingInputs {
  private readonly notFresh = new Map<string, number>();

  judge(finished: FinishedNotice): FinishedNotice {
    const times = finished.fresh ? 0 : (this.notFresh.get(finished.name) ?? 0) + 1;
    this.notFresh.set(finished.name, times);
    if (times < runsOnMovingInputs) return finished;
    const error = { message: `its inputs changed during each of ${times} runs`, exitCode: 1 };
    return { ...finished, outcome: "failed", fresh: true, error };
  }
}
