import { UserError } from "../errors/index.ts";
import type { FinishedNotice } from "./events.ts";
import type { EndedRun, FunctionRun } from "./function-run/function-run.ts";
import type { LoopState } from "./machine/state.ts";
import { MovingInputs } from "./function-run/moving-inputs.ts";
import { filesOf, isWanted } from "./planned-function.ts";
import type { Planned } from "./planning.ts";

/** The functions that are running, and the results of those that ran. */
export class Runs {
  private readonly running = new Map<string, FunctionRun>();
  readonly movingInputs = new MovingInputs();
  /** Newest result of each function. */
  readonly results = new Map<string, FinishedNotice>();
  /** Files that made the last attempt of each function stale. */
  readonly moved = new Map<string, readonly string[]>();

  /**
   * Runs a function to its end, emits the result and records it. `waits`: a watch, which runs it again when its files
   * rest.
   */
  async run(run: FunctionRun, waits: boolean): Promise<EndedRun> {
    this.running.set(run.name, run);
    this.movingInputs.started(run.name);
    const ended = await run.run();
    this.running.delete(run.name);
    const finished = waits ? ended.finished : this.movingInputs.judge(ended.finished);
    this.results.set(run.name, finished);
    if (finished.moved !== undefined) this.moved.set(run.name, finished.moved);
    run.place.emit(finished);
    await run.record(ended);
    return { finished, outcome: finished.outcome === "failed" ? "failed" : ended.outcome };
  }

  /** Fails the affected functions that ran too often: nothing can be said of them while their inputs keep changing. */
  giveUp({ targets, forced }: Planned): FinishedNotice[] {
    const affected = targets.filter((plan) => isWanted(plan, forced));
    return affected.flatMap((plan) => {
      const last = this.results.get(plan.item.target.name);
      const failed = last && this.movingInputs.giveUp(last, filesOf(plan));
      if (failed === undefined) return [];
      this.results.set(failed.name, failed);
      return [failed];
    });
  }

  get isEmpty(): boolean {
    return this.running.size === 0;
  }

  cancel(name: string, why: string): void {
    this.running
      .get(name)
      ?.cancel(new UserError("interrupted", why === "asked" ? `${name} was cancelled` : `${name} became ${why}`));
  }

  /**
   * Cancels everything that runs because it took too long together; returns the error, with what each function waited
   * for.
   */
  cancelAll(deadlineMs: number, state: LoopState): UserError {
    const error = this.tookTooLong(deadlineMs, state);
    for (const run of this.running.values()) run.cancel(error);
    return error;
  }

  private tookTooLong(deadlineMs: number, { functions }: LoopState): UserError {
    const waits = functions.flatMap((fn) => {
      const step = this.running.get(fn.name)?.steps.newest;
      if (this.running.has(fn.name)) return [step === undefined ? `${fn.name} ran` : `${fn.name} ran: ${step}`];
      const need = fn.needs.find((name) => functions.some((one) => one.name === name && one.verdict !== "current"));
      return fn.phase === "queued" ? [`${fn.name} waited for ${need ?? "its turn"}`] : [];
    });
    const detail = waits.length === 0 ? "the engine was not ready" : waits.join("\n");
    return new UserError("timed-out", `the run took longer than ${deadlineMs / 1000} s`, { detail });
  }
}
