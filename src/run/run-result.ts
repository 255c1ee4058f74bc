/** What is told and kept of a run that has ended. */
import { failureOf } from "../engine/index.ts";
import { UserError } from "../errors/index.ts";
import type { ReturnedValue } from "../module/index.ts";
import { engineName } from "../session/index.ts";
import type { FinishedNotice } from "./events.ts";
import type { FunctionRun } from "./function-run.ts";
import type { Outcome } from "./machine/state.ts";
import type { RunRecord } from "./records.ts";

/** Characters that are kept of a value. */
const longestValue = 4000;

/** Writes the record of a run, and the manifests of its inputs where it says something of them. */
export async function recordRun(
  { id, plan, snapshot, place }: FunctionRun,
  finished: FinishedNotice,
  outcome: Outcome,
  startedAt: Date,
): Promise<void> {
  const { engine } = await place.session.open();
  if (finished.outcome !== "cancelled" && finished.fresh) {
    for (const [index, input] of plan.item.inputs.entries())
      place.store.manifests.write(plan.fingerprint.inputs[index]!.digest, () => snapshot.manifest(input));
  }
  const record: RunRecord = {
    version: 1,
    id,
    target: finished.name,
    digest: finished.digest,
    fingerprint: { ...plan.fingerprint, engine: engineName(engine) },
    reasons: plan.reasons,
    outcome,
    fresh: finished.fresh,
    engine: { kind: engine.kind, version: engine.version },
    startedAt: startedAt.toISOString(),
    durationMs: finished.durationMs,
    attempts: finished.attempts,
    value: finished.value,
    error: finished.error,
  };
  place.store.add(record);
}

export function describeFailure(thrown: unknown): NonNullable<FinishedNotice["error"]> {
  const failure = failureOf(thrown);
  if (failure instanceof UserError) {
    return {
      message: failure.message,
      detail: failure.detail,
      place: failure.place,
      exitCode: failure.exitCode,
      ...(failure.hint === undefined ? {} : { hint: failure.hint }),
      ...(failure.code === "untrusted" ? { untrusted: true } : {}),
    };
  }
  const message = failure instanceof Error ? failure.message : String(failure);
  return { message, exitCode: 1 };
}

/** A returned value as the record and the screen have it. */
export function textOf(value: ReturnedValue): string {
  const text = typeof value === "string" ? value : value === null ? "" : JSON.stringify(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}
