import { realpathSync } from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { statIfThere } from "../paths/index.ts";
import { failureOf } from "../engine/index.ts";
import { UserError } from "../errors/index.ts";
import type { ReturnedValue } from "../module/index.ts";
import { asksOfTarget, type PlannedTarget, type Project } from "../plan/index.ts";
import { refusal } from "../trust/index.ts";
import type { EngineHolder } from "./engine-holder.ts";
import type { FinishedNotice, LoopNotice } from "./events.ts";
import type { OpenSteps } from "./open-steps.ts";
import { executeTarget, type Execution, type WarmEngine } from "./executor.ts";
import { movedInputs } from "./moved-input.ts";
import type { Outcome } from "./state.ts";
import { SpanRecorder, type Span } from "./spans.ts";
import { OutputTail, testsInHistory, toldTests } from "./told-tests.ts";
import type { HistoryEntry } from "./history.ts";
import { failedTests } from "../text/index.ts";
import type { ProjectSnapshot } from "../plan/index.ts";
import type { RunRecord, RunStore } from "./records.ts";

export interface FunctionRunContext {
  project: Project;
  snapshot: ProjectSnapshot;
  engine: EngineHolder;
  store: RunStore;
  secretKey: Uint8Array;
  environment: NodeJS.ProcessEnv;
  /** For a target that declares none. */
  timeoutMs: number | undefined;
  /** Filled while it runs. */
  openSteps: OpenSteps;
  /** Edits are waited for: a run answers the newest of them. */
  isWatching: boolean;
  /** Inputs that are not what they were when they were hashed, relative to the project; undefined where all are. */
  movedSince(plan: PlannedTarget): string[] | undefined;
  emit(notice: LoopNotice): void;
}

/** A long run says this often that it is still there, and in which step. */
const heartbeatMs = 30_000;
const longestValue = 4000;
/** What was saved before that, a later look at it found. */
const longestEditMs = 60 * 60_000;

/** What came of a run; `record` stores it, so that saying it need not wait for the disk. */
export interface FunctionRun {
  finished: FinishedNotice;
  /** Of the attempt by itself, whatever its inputs did. */
  outcome: Outcome;
  record(): Promise<void>;
}

/** Runs one function. Never throws: a failure is an outcome. */
export async function runFunction(
  plan: PlannedTarget,
  controller: AbortController,
  context: FunctionRunContext,
): Promise<FunctionRun> {
  const { item, digest } = plan;
  const { store, emit, openSteps } = context;
  const name = item.target.name;
  const startedAt = new Date();
  const startedMs = performance.now();
  const id = store.newId(name, startedAt);
  const log = store.log(id, (reason) => emit({ kind: "notice", text: `the log of ${name} is cut short (${reason})` }));
  const steps = { total: 0, cached: 0 };
  const spans = new SpanRecorder();
  const flaky = new Set<string>();
  let output = new OutputTail();
  emit({ kind: "started", name, digest, reasons: plan.reasons, atMs: startedAt.getTime() });

  const timeoutMs = item.target.timeoutMs ?? context.timeoutMs;
  const counted = new Set<string>();
  const stopTimers = armTimers(name, timeoutMs, () => openSteps.newest, controller, startedMs, emit);
  let engine: WarmEngine | undefined;
  const attempt = async (): Promise<Execution> => {
    output = new OutputTail();
    requireTrust(item, context);
    engine = await context.engine.forModule(context.project.module);
    controller.signal.throwIfAborted();
    return executeTarget(item, engine, {
      callId: id,
      snapshot: context.snapshot,
      root: context.project.root,
      secretKey: context.secretKey,
      environment: context.environment,
      log,
      signal: controller.signal,
      openSteps,
      onStep: (event) => {
        spans.note(event);
        const done = event.kind === "step-done";
        // Two requests that wait for the same step both tell of it.
        if (done && !counted.has(event.step)) {
          counted.add(event.step);
          steps.total++;
          if (event.cached) steps.cached++;
        }
        emit({
          kind: "step",
          name,
          step: event.name,
          done,
          cached: done && event.cached,
          durationMs: done ? event.durationMs : undefined,
        });
      },
      onOutput: (stream, text) => {
        output.add(text);
        emit({ kind: "output", name, stream, text });
      },
      onNotice: (text) => emit({ kind: "notice", text }),
    });
  };
  const of = item.target.retries + 1;
  let attempts = 1;
  let hasLostEngine = false;
  let execution: Execution | undefined;
  let failure: unknown;
  try {
    for (; ; attempts++) {
      try {
        execution = await attempt();
        break;
      } catch (error) {
        const lost =
          hasLostEngine || controller.signal.aborted || engine === undefined
            ? undefined
            : await context.engine.whyLost(engine.session);
        if (lost !== undefined) {
          // That an engine ended says nothing of the function.
          hasLostEngine = true;
          attempts--;
          emit({
            kind: "notice",
            text: `the engine went away while ${name} ran (${lost}); it is run again on a new one`,
          });
          continue;
        }
        if (attempts === of || controller.signal.aborted || !isFailedRun(error)) throw error;
        for (const test of failedTests(output.text)) flaky.add(test);
        emit({ kind: "retrying", name, attempt: attempts + 1, of, error: describeFailure(error).message });
      }
    }
  } catch (error) {
    failure = error;
  } finally {
    stopTimers();
    log.close();
  }
  const durationMs = Math.round(performance.now() - startedMs);
  const outcome = outcomeOf(failure, controller.signal);
  const sent = execution?.moved ?? movedInputs(failure) ?? [];
  const since = outcome === "cancelled" ? undefined : context.movedSince(plan);
  const fresh = sent.length === 0 && since === undefined;
  const moved = [...new Set([...sent.map((file) => inProject(context.project, file)), ...(since ?? [])])];
  const error = failure === undefined ? undefined : describeFailure(failure);
  const value = execution === undefined ? undefined : textOf(execution.value);
  const past: Partial<HistoryEntry> = {
    tier: item.target.tier,
    ...testsInHistory(toldTests(value, output.text, error), output.text),
    ...(flaky.size > 0 && outcome === "passed" ? { flakyTests: [...flaky] } : {}),
    ...(context.isWatching ? editOf(plan, context) : {}),
  };
  const finished: FinishedNotice = {
    kind: "finished",
    name,
    digest,
    outcome: fresh || outcome === "cancelled" ? outcome : "stale",
    fresh,
    ...(fresh ? {} : { moved }),
    durationMs,
    steps,
    attempts,
    logFile: log.isThere ? log.file : undefined,
    error,
    ...(value === undefined ? {} : { value }),
    ...toldTests(value, output.text, error),
  };
  // Of what was not run there is nothing to record.
  if (failure instanceof UserError && failure.code === "untrusted")
    return { finished, outcome, record: () => Promise.resolve() };
  if (failure instanceof UserError && failure.code === "engine-unavailable") {
    await context.engine.drop();
    return { finished, outcome, record: () => Promise.resolve() };
  }
  return {
    finished,
    outcome,
    record: () =>
      record(id, plan, { finished, outcome, startedAt, past, spans: spans.all }, context).catch((cause: unknown) => {
        emit({ kind: "notice", text: `the run of ${name} could not be recorded: ${String(cause)}` });
      }),
  };
}

/** What there is to record of a run. */
interface Told {
  finished: FinishedNotice;
  outcome: Outcome;
  startedAt: Date;
  past: Partial<HistoryEntry>;
  spans: readonly Span[];
}

async function record(
  id: string,
  plan: PlannedTarget,
  { finished, outcome, startedAt, past, spans }: Told,
  context: FunctionRunContext,
): Promise<void> {
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
    fingerprint: { ...plan.fingerprint, engine: await context.engine.key() },
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
  store.add(entry, past, spans);
}

/** How long after the newest save among the files that changed its verdict is there. */
function editOf(plan: PlannedTarget, { project }: FunctionRunContext): Pick<HistoryEntry, "editMs"> {
  const savedMs = plan.reasons
    .filter((reason) => reason.kind === "file")
    .slice(0, 100)
    .map(({ path: file }) => statIfThere(path.resolve(project.root, file))?.mtimeMs ?? 0)
    .reduce((newest, mtimeMs) => Math.max(newest, mtimeMs), 0);
  const editMs = Math.round(Date.now() - savedMs);
  return savedMs > 0 && editMs >= 0 && editMs < longestEditMs ? { editMs } : {};
}

function inProject({ root }: Project, file: string): string {
  return path.isAbsolute(file) ? path.relative(realpathSync(root), file) : file;
}

function outcomeOf(failure: unknown, signal: AbortSignal): Outcome {
  if (failure === undefined) return "passed";
  if (!signal.aborted) return "failed";
  return signal.reason instanceof UserError && signal.reason.code === "timed-out" ? "timed-out" : "cancelled";
}

/** What it asks for is looked at once more: a link may lead elsewhere since the project was read. */
function requireTrust(item: PlannedTarget["item"], { project, environment }: FunctionRunContext): void {
  const { config, module, trust } = project;
  const missing =
    item.untrusted.length > 0 ? item.untrusted : trust.missing(asksOfTarget(item, config, module, environment));
  if (missing.length > 0) throw refusal(missing);
}

/** The function's own failure: trying again may help. A mistake in the configuration or a missing engine stays. */
function isFailedRun(error: unknown): boolean {
  return !(error instanceof UserError) || error.code === "function-failed";
}

function describeFailure(thrown: unknown): NonNullable<FinishedNotice["error"]> {
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
