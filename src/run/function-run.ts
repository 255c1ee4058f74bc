import { performance } from "node:perf_hooks";
import { UserError } from "../errors/index.ts";
import type { ReturnedValue } from "../module/index.ts";
import type { PlannedTarget, Project } from "../plan/index.ts";
import { engineName, type EngineHolder } from "./engine-holder.ts";
import type { FinishedNotice, LoopNotice } from "./events.ts";
import { executeTarget } from "./executor.ts";
import type { Outcome } from "./machine.ts";
import type { ProjectSnapshot } from "../plan/index.ts";
import type { RunRecord, RunStore } from "./records.ts";

export interface FunctionRunContext {
  project: Project;
  snapshot: ProjectSnapshot;
  engine: EngineHolder;
  store: RunStore;
  environment: NodeJS.ProcessEnv;
  /** For a target that declares none. */
  timeoutMs: number | undefined;
  /** Whether the inputs are what they were when they were hashed. */
  stoodStill(plan: PlannedTarget): boolean;
  emit(notice: LoopNotice): void;
}

/** Silent for this long, a run says that it is still there. */
const heartbeatMs = 30_000;
const longestValue = 4000;

/** What came of a run; `record` stores it, so that saying it need not wait for the disk. */
export interface FunctionRun {
  finished: FinishedNotice;
  record(): Promise<void>;
}

/** Runs one function. Never throws: a failure is an outcome. */
export async function runFunction(
  plan: PlannedTarget,
  controller: AbortController,
  context: FunctionRunContext,
): Promise<FunctionRun> {
  const { item, digest } = plan;
  const { store, emit } = context;
  const name = item.target.name;
  const startedAt = new Date();
  const startedMs = performance.now();
  const id = store.newId(name, startedAt);
  const logFile = store.logFile(id);
  const steps = { total: 0, cached: 0 };
  let openStep: string | undefined;
  emit({ kind: "started", name, digest, reasons: plan.reasons, atMs: startedAt.getTime() });

  const timeoutMs = item.target.timeoutMs ?? context.timeoutMs;
  const stopTimers = armTimers(name, timeoutMs, () => openStep, controller, startedMs, emit);
  let value: ReturnedValue | undefined;
  let failure: unknown;
  let moved = false;
  try {
    const engine = await context.engine.forModule(context.project.module);
    controller.signal.throwIfAborted();
    const execution = await executeTarget(item, engine, {
      callId: id,
      snapshot: context.snapshot,
      root: context.project.root,
      environment: context.environment,
      logFile,
      signal: controller.signal,
      onStep: (event) => {
        openStep = event.kind === "step-started" ? event.name : undefined;
        if (event.kind === "step-done") {
          steps.total++;
          if (event.cached) steps.cached++;
        }
        emit({
          kind: "step",
          name,
          step: event.name,
          done: event.kind === "step-done",
          cached: event.kind === "step-done" && event.cached,
          durationMs: event.kind === "step-done" ? event.durationMs : undefined,
        });
      },
      onOutput: (stream, text) => emit({ kind: "output", name, stream, text }),
    });
    value = execution.value;
    moved = execution.inputMoved;
  } catch (error) {
    failure = error;
  } finally {
    stopTimers();
  }
  const durationMs = Math.round(performance.now() - startedMs);
  const outcome = outcomeOf(failure, controller.signal);
  const fresh = !moved && (outcome === "cancelled" || context.stoodStill(plan));
  const error = failure === undefined ? undefined : describeFailure(failure);
  const finished: FinishedNotice = {
    kind: "finished",
    name,
    digest,
    outcome,
    fresh,
    durationMs,
    steps,
    logFile,
    error,
    ...(value === undefined ? {} : { value: textOf(value) }),
  };
  if (failure instanceof UserError && failure.code === "engine-unavailable") {
    await context.engine.drop();
    return { finished, record: () => Promise.resolve() };
  }
  return {
    finished,
    record: () =>
      record(id, plan, finished, startedAt, context).catch((cause: unknown) => {
        emit({ kind: "notice", text: `the run of ${name} could not be recorded: ${String(cause)}` });
      }),
  };
}

async function record(id: string, plan: PlannedTarget, finished: FinishedNotice, startedAt: Date, context: FunctionRunContext): Promise<void> {
  const { store, snapshot } = context;
  const engine = await context.engine.info();
  if (finished.outcome !== "cancelled" && finished.fresh) {
    for (const [index, input] of plan.item.inputs.entries()) {
      store.manifests.write(plan.fingerprint.inputs[index]!.digest, () => snapshot.manifest(input));
    }
  }
  const entry: RunRecord = {
    version: 1,
    id,
    target: finished.name,
    digest: finished.digest,
    fingerprint: { ...plan.fingerprint, engine: engineName(engine) },
    reasons: plan.reasons,
    outcome: finished.outcome,
    fresh: finished.fresh,
    engine: { kind: engine.kind, version: engine.version },
    startedAt: startedAt.toISOString(),
    durationMs: finished.durationMs,
    value: finished.value,
    error: finished.error,
    log: `${id}.log`,
  };
  store.add(entry);
}

function outcomeOf(failure: unknown, signal: AbortSignal): Outcome {
  if (failure === undefined) return "passed";
  if (!signal.aborted) return "failed";
  return signal.reason instanceof UserError && signal.reason.code === "timed-out" ? "timed-out" : "cancelled";
}

function describeFailure(failure: unknown): FinishedNotice["error"] {
  if (failure instanceof UserError) {
    return { message: failure.message, detail: failure.detail, place: failure.place, exitCode: failure.exitCode };
  }
  const message = failure instanceof Error ? failure.message : String(failure);
  return { message, exitCode: 1 };
}

function textOf(value: ReturnedValue): string {
  const text = typeof value === "string" ? value : value === null ? "" : JSON.stringify(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}

/** Ends a run that takes too long, naming what it waited for, and tells of one that is silent. */
function armTimers(
  name: string,
  timeoutMs: number | undefined,
  step: () => string | undefined,
  controller: AbortController,
  startedMs: number,
  emit: (notice: LoopNotice) => void,
): () => void {
  const heartbeat = setInterval(() => {
    emit({ kind: "still-running", name, runningMs: Math.round(performance.now() - startedMs), step: step() });
  }, heartbeatMs);
  const timeout =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          const blocker = step();
          const waited = blocker === undefined ? "" : ` while it ran: ${blocker}`;
          controller.abort(new UserError("timed-out", `${name} took longer than ${timeoutMs / 1000} s${waited}`));
        }, timeoutMs);
  return () => {
    clearInterval(heartbeat);
    clearTimeout(timeout);
  };
}
