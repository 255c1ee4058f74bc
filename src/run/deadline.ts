import { UserError } from "../errors/index.ts";
import type { LoopState } from "./state.ts";

/** The error of a run that took too long as a whole, with what each function waited for. `running` gives the step of one that runs. */
export function tookTooLong(
  deadlineMs: number,
  { functions }: LoopState,
  running: (name: string) => { step: string | undefined } | undefined,
): UserError {
  const waits = functions.flatMap((fn) => {
    const run = running(fn.name);
    if (run !== undefined) return [run.step === undefined ? `${fn.name} ran` : `${fn.name} ran: ${run.step}`];
    const need = fn.needs.find((name) => functions.some((other) => other.name === name && other.verdict !== "current"));
    return fn.phase === "queued" ? [`${fn.name} waited for ${need ?? "its turn"}`] : [];
  });
  const detail = waits.length === 0 ? "the engine was not ready" : waits.join("\n");
  return new UserError("timed-out", `the run took longer than ${deadlineMs / 1000} s`, { detail });
}
