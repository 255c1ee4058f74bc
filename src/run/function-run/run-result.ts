/** What is reported and recorded of a run that has ended. */
import path from "node:path";
import { failureOf } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import type { ReturnedValue } from "../../module/index.ts";
import { statIfThere } from "../../paths/index.ts";
import type { PlannedTarget } from "../../plan/index.ts";
import type { FinishedNotice } from "../events.ts";
import type { FunctionRun } from "./function-run.ts";
import type { Outcome } from "../machine/state.ts";
import type { HistoryEntry } from "../records/history.ts";
import type { RunRecord } from "../records/records.ts";
import type { Span } from "../records/spans.ts";

/** An older save did not trigger the run; a later scan found it. */
const longestEditMs = 60 * 60_000;

/** What the record of an ended run is made of. */
interface Told {
  finished: FinishedNotice;
  outcome: Outcome;
  startedAt: Date;
  past: Partial<HistoryEntry>;
  spans: readonly Span[];
}

/** Longest value that is kept, in characters. */
const longestValue = 4000;

/** Writes the record of a run, and the manifests of its inputs if the result belongs to them. */
export async function recordRun(
  { id, plan, snapshot, place }: FunctionRun,
  { finished, outcome, startedAt, past, spans }: Told,
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
    fingerprint: { ...plan.fingerprint, engine: await place.session.key() },
    reasons: plan.reasons,
    outcome,
    fresh: finished.fresh,
    engine: { kind: engine.kind, version: engine.version },
    startedAt: startedAt.toISOString(),
    durationMs: finished.durationMs,
    attempts: finished.attempts,
    value: finished.value,
    error: finished.error,
    steps: finished.steps,
  };
  place.store.add(record, past, spans);
}

/** Returns how long after the newest save among the changed files the verdict came, in milliseconds. */
export function editOf({ reasons }: PlannedTarget, root: string): Pick<HistoryEntry, "editMs"> {
  const savedMs = reasons
    .filter((reason) => reason.kind === "file")
    .slice(0, 100)
    .map(({ path: file }) => statIfThere(path.resolve(root, file))?.mtimeMs ?? 0)
    .reduce((newest, mtimeMs) => Math.max(newest, mtimeMs), 0);
  const editMs = Math.round(Date.now() - savedMs);
  return savedMs > 0 && editMs >= 0 && editMs < longestEditMs ? { editMs } : {};
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

/** Returns the text of a returned value for the record and the screen, cut to `longestValue` characters. */
export function textOf(value: ReturnedValue): string {
  const text = typeof value === "string" ? value : value === null ? "" : JSON.stringify(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}
