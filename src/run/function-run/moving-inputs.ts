/** Inputs that change while a function runs: which files they are, and when it is enough. */
import { realpathSync } from "node:fs";
import path from "node:path";
import { fileReadAgain, MovingFiles } from "../../engine/index.ts";
import type { PlannedTarget, ProjectSnapshot } from "../../plan/index.ts";
import { changedPaths, type ContentHasher } from "../../tree/index.ts";
import type { FinishedNotice } from "../events.ts";

/**
 * The files of which a run failed because they were touched while they were sent to the engine, absolute or as the engine
 * names them: that says nothing of the function, even where the content is what it was. Undefined for any other failure.
 */
export function movedInputs(failure: unknown): readonly string[] | undefined {
  if (failure instanceof MovingFiles) return failure.moved;
  const file = fileReadAgain(failure);
  return file === undefined ? undefined : [file];
}

/** Files of a target's inputs that are others in `now` than those that its digest stands for, relative to `root`. */
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

  /** What is told where its inputs are others again after the last run that is allowed; undefined for any other. */
  giveUp(last: FinishedNotice, moved: readonly string[]): FinishedNotice | undefined {
    if (!this.isEnough(last.name) || this.hasGivenUp(last.name)) return undefined;
    return this.failed(last, moved);
  }

  /** Its inputs changed once too often. */
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
