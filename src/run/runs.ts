import { UserError } from "../errors/index.ts";
import type { PlannedTarget } from "../plan/index.ts";
import type { FinishedNotice } from "./events.ts";
import { runFunction, type FunctionRunContext } from "./function-run.ts";
import { MovingInputs } from "./moving-inputs.ts";
import type { Outcome } from "./state.ts";
import { OpenSteps } from "./open-steps.ts";

/** The functions that run at this moment, and what came of those that ran. */
export class Runs {
  private readonly running = new Map<string, { controller: AbortController; openSteps: OpenSteps }>();
  readonly movingInputs = new MovingInputs();
  /** The newest of each function. */
  readonly results = new Map<string, FinishedNotice>();

  /** Runs it to its end, which is told and recorded. `waits`: a watch, which runs it again when files rest. */
  async run(
    plan: PlannedTarget,
    context: Omit<FunctionRunContext, "openSteps">,
    waits: boolean,
  ): Promise<{ finished: FinishedNotice; outcome: Outcome }> {
    const { name } = plan.item.target;
    const run = { controller: new AbortController(), openSteps: new OpenSteps() };
    this.running.set(name, run);
    this.movingInputs.started(name);
    const {
      finished: ended,
      outcome,
      record,
    } = await runFunction(plan, run.controller, { ...context, openSteps: run.openSteps });
    this.running.delete(name);
    const finished = waits ? ended : this.movingInputs.judge(ended);
    this.results.set(name, finished);
    context.emit(finished);
    await record();
    return { finished, outcome: finished.outcome === "failed" ? "failed" : outcome };
  }

  get isEmpty(): boolean {
    return this.running.size === 0;
  }

  /** The step that a function is in; undefined where it does not run. */
  stepOf(name: string): { step: string | undefined } | undefined {
    const run = this.running.get(name);
    return run && { step: run.openSteps.newest };
  }

  cancel(name: string, why: string): void {
    this.running.get(name)?.controller.abort(new UserError("interrupted", `${name} became ${why}`));
  }

  cancelAll(reason: UserError): void {
    for (const { controller } of this.running.values()) controller.abort(reason);
  }
}
