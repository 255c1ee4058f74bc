/** Inputs that change while a function runs: which files they are, and when the function is given up. */
import { realpathSync } from "node:fs";
import path from "node:path";
import { fileReadAgain, MovingFiles } from "../../engine/index.ts";
import type { PlannedTarget, ProjectSnapshot } from "../../plan/index.ts";
import { changedPaths, type ContentHasher } from "../../tree/index.ts";
import type { FinishedNotice } from "../events.ts";

/**
 * Returns the files that made a run fail because they were touched while they were sent to the engine, absolute or as
 * the engine names them. Such a failure says nothing about the function, even if the content is unchanged. Undefined
 * for any other failure.
 */
export function movedInputs(failure: unknown): readonly string[] | undefined {
  if (failure instanceof MovingFiles) return failure.moved;
  const file = fileReadAgain(failure);
  return file === undefined ? undefined : [file];
}

/** Returns the files of a target's inputs that differ in `now` from those its digest stands for, relative to `root`. */
export function filesMovedSince(
  plan: PlannedTarget,
  then: ProjectSnapshot,
  now: ProjectSnapshot,
  hasher: ContentHasher,
  root: string,
): string[] {
  const real = realpathSync(root);
  const moved = plan.item.inputs.flatMap((input, index) => {
    if (now.digest(input) === plan.fingerprint.inputs[index]!.digest) return [];
    const [before, after] = [then.listing(input), now.listing(input)];
    const folder = after?.root ?? before?.root;
    if (before === undefined || after === undefined || folder === undefined) return [path.relative(real, input.path)];
    const paths = changedPaths(before, after, (old, entry) => {
      const hash = hasher.earlierHash(before.root, old);
      return hash !== undefined && hash === hasher.hash(after.root, entry);
    });
    return paths.map((file) => path.relative(real, path.join(folder, file)));
  });
  return [...new Set(moved)];
}

/** Without a watch somebody waits for the end, so a function whose inputs keep changing fails after this many runs. */
const runsOnMovingInputs = 6;

/** Counts the runs of each function in one command, and gives a function up after too many. */
export class MovingInputs {
  private readonly runs = new Map<string, number>();
  private readonly givenUp = new Set<string>();

  started(name: string): void {
    this.runs.set(name, (this.runs.get(name) ?? 0) + 1);
  }

  /** Returns the notice of a run, which is a failure if this was the last allowed run and its inputs changed again. */
  judge(finished: FinishedNotice): FinishedNotice {
    return finished.fresh || !this.isEnough(finished.name) ? finished : this.failed(finished, finished.moved ?? []);
  }

  /** Reports whether the function runs no more, even if its inputs changed. */
  isEnough(name: string): boolean {
    return (this.runs.get(name) ?? 0) >= runsOnMovingInputs;
  }

  /** Returns the failure to report if inputs changed again after the last allowed run; undefined in any other case. */
  giveUp(last: FinishedNotice, moved: readonly string[]): FinishedNotice | undefined {
    if (!this.isEnough(last.name) || this.hasGivenUp(last.name)) return undefined;
    return this.failed(last, moved);
  }

  /** Returns the failure of a function whose inputs changed too often, and remembers that it was given up. */
  private failed(finished: FinishedNotice, moved: readonly string[]): FinishedNotice {
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
