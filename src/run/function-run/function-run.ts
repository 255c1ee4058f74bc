import { realpathSync } from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { failedTests } from "../../text/index.ts";
import type { CallWorkspace } from "../../call/index.ts";
import { fileReadAgain } from "../../engine/index.ts";
import { UserError } from "../../errors/index.ts";
import { asksOfTarget, type PlannedTarget, type Project, type ProjectSnapshot } from "../../plan/index.ts";
import type { ProjectSession, WarmEngine } from "../../session/index.ts";
import { refusal } from "../../trust/index.ts";
import type { FinishedNotice, LoopNotice } from "../events.ts";
import { execute, type Execution } from "./execution.ts";
import type { Outcome } from "../machine/state.ts";
import { movedInputs } from "./moving-inputs.ts";
import type { RunStore } from "../records/records.ts";
import type { RunLog } from "../records/run-log.ts";
import { describeFailure, editOf, recordRun, textOf } from "./run-result.ts";
import type { HistoryEntry } from "../records/history.ts";
import { SpanRecorder } from "../records/spans.ts";
import { Steps, type StepEvent } from "./steps.ts";
import { OutputTail, testsInHistory, reportedTests } from "./reported-tests.ts";

/** What all runs of a loop share: session, store, environment, and what they report to. */
export interface RunPlace {
  session: ProjectSession;
  store: RunStore;
  /** Key of the project, by which secrets are named. */
  secretKey: Uint8Array;
  environment: NodeJS.ProcessEnv;
  /** Timeout of targets that declare none, in milliseconds. */
  timeoutMs: number | undefined;
  /** Whether this is a watch, which waits for edits and runs on the newest of them. */
  isWatching: boolean;
  /** Inputs that have changed since they were hashed, relative to the project; undefined when none has. */
  movedSince(run: FunctionRun): string[] | undefined;
  /**
   * Returns the run's plan and files with what it read of its workspace added to its inputs; undefined if that is
   * nothing new.
   */
  learn(run: FunctionRun): Learned | undefined;
  /**
   * Waits for room, if a resource monitor decides besides `engine.limits`; resolves to the function that releases it.
   */
  allocate(run: FunctionRun): Promise<() => void>;
  emit(notice: LoopNotice): void;
  notice(text: string): void;
}

/** What a run showed about its function's inputs. */
export interface Learned {
  plan: PlannedTarget;
  snapshot: ProjectSnapshot;
  /** Whether the files are still those that were read. */
  isAsRead: boolean;
}

/** Interval at which a long run reports that it still runs, and in which step. */
const heartbeatMs = 30_000;

/** How a run ended. */
export interface EndedRun {
  finished: FinishedNotice;
  /** Outcome of the attempt by itself, whether or not its inputs changed. */
  outcome: Outcome;
}

/** One run of a function from its start to its record: the plan and files it runs on, its log, steps and outcome. */
export class FunctionRun {
  plan: PlannedTarget;
  readonly project: Project;
  /** The files that the plan was made for. */
  snapshot: ProjectSnapshot;
  /** Workspace of the newest attempt. */
  workspace: CallWorkspace | undefined;
  readonly place: RunPlace;
  readonly id: string;
  readonly log: RunLog;
  readonly steps = new Steps();
  private readonly spans = new SpanRecorder();
  /** Tests that failed in an attempt before the last one. */
  private readonly flaky = new Set<string>();
  /** What the statistics keep beyond the record. */
  private past: Partial<HistoryEntry> = {};
  private readonly controller = new AbortController();
  private readonly startedAt = new Date();
  private readonly startedMs = performance.now();
  private output = new OutputTail();
  private attempts = 1;
  private failure: unknown;

  constructor(plan: PlannedTarget, project: Project, snapshot: ProjectSnapshot, place: RunPlace) {
    this.plan = plan;
    this.project = project;
    this.snapshot = snapshot;
    this.place = place;
    this.id = place.store.newId(this.name, this.startedAt);
    this.log = place.store.log(this.id, (reason) => place.notice(`the log of ${this.name} is cut short (${reason})`));
  }

  get name(): string {
    return this.plan.item.target.name;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  cancel(reason: UserError): void {
    this.controller.abort(reason);
  }

  /** Runs the function to its end. Never throws: a failure is an outcome. */
  async run(): Promise<EndedRun> {
    const { name, plan } = this;
    this.place.emit({
      kind: "started",
      name,
      digest: plan.digest,
      reasons: plan.reasons,
      atMs: this.startedAt.getTime(),
    });
    let execution: Execution | undefined;
    try {
      const release = await this.place.allocate(this);
      const stopTimers = this.armTimers();
      execution = await this.attemptAll().finally(() => {
        stopTimers();
        release();
      });
    } catch (error) {
      this.failure = error;
    } finally {
      this.log.close();
    }
    return this.ended(execution);
  }

  /** Stores the ended run. A target that was refused, or that had no engine, leaves no record. Never throws. */
  async record({ finished, outcome }: EndedRun): Promise<void> {
    const { failure } = this;
    if (failure instanceof UserError && failure.code === "untrusted") return;
    if (failure instanceof UserError && failure.code === "engine-unavailable") return;
    try {
      await recordRun(this, { finished, outcome, startedAt: this.startedAt, past: this.past, spans: this.spans.all });
    } catch (cause) {
      this.place.notice(`the run of ${this.name} could not be recorded: ${String(cause)}`);
    }
  }

  /** Logs and emits what a body or one of its commands prints. */
  onOutput(stream: "stdout" | "stderr", text: string): void {
    this.log.write(text);
    this.output.add(text);
    this.place.emit({ kind: "output", name: this.name, stream, text });
  }

  onStep(event: StepEvent): void {
    this.steps.note(event);
    this.spans.note(event);
    const done = event.kind === "step-done";
    if (done) this.log.write(`# ${event.name}${event.cached ? " (cached)" : ` ${event.durationMs} ms`}\n`);
    this.place.emit({
      kind: "step",
      name: this.name,
      step: event.name,
      done,
      cached: done && event.cached,
      durationMs: done ? event.durationMs : undefined,
    });
  }

  /** Tries as often as declared, and once more if the engine went away, which says nothing about the function. */
  private async attemptAll(): Promise<Execution> {
    const { name } = this;
    const of = this.plan.item.target.retries + 1;
    let hasLostEngine = false;
    let hasLostTrees = false;
    for (; ; this.attempts++) {
      let engine: WarmEngine | undefined;
      try {
        this.output = new OutputTail();
        this.requireTrust();
        engine = await this.place.session.forModule(this.project.module);
        this.signal.throwIfAborted();
        return await execute(this, engine);
      } catch (error) {
        const mayBeLost = !hasLostEngine && !this.signal.aborted && engine !== undefined;
        const lost = mayBeLost ? await this.place.session.whyLost(engine!.session) : undefined;
        if (lost !== undefined) {
          hasLostEngine = true;
          this.attempts--;
          this.place.notice(`the engine went away while ${name} ran (${lost.message}); it is run again on a new one`);
          continue;
        }
        if (!hasLostTrees && !this.signal.aborted && engine !== undefined && fileReadAgain(error) !== undefined) {
          // Sending the trees again shows whether the file changed or the engine had lost its copy.
          hasLostTrees = true;
          this.attempts--;
          engine.trees.forget();
          continue;
        }
        if (this.attempts === of || this.signal.aborted || !isFailedRun(error)) throw error;
        for (const test of failedTests(this.output.text)) this.flaky.add(test);
        const { message } = describeFailure(error);
        this.place.emit({ kind: "retrying", name, attempt: this.attempts + 1, of, error: message });
      }
    }
  }

  private async ended(execution: Execution | undefined): Promise<EndedRun> {
    const { failure, project, plan, log } = this;
    const durationMs = Math.round(performance.now() - this.startedMs);
    const outcome = outcomeOf(failure, this.signal);
    const sent = execution?.moved ?? movedInputs(failure) ?? [];
    const since = outcome === "cancelled" ? undefined : this.place.movedSince(this);
    const learned = outcome === "cancelled" ? undefined : this.place.learn(this);
    const fresh = sent.length === 0 && since === undefined && learned?.isAsRead !== false;
    const moved = [...new Set([...sent.map((file) => inProject(project, file)), ...(since ?? [])])];
    const error = failure === undefined ? undefined : describeFailure(failure);
    const value = execution === undefined ? undefined : textOf(execution.value);
    if (failure instanceof UserError && failure.code === "engine-unavailable") await this.place.session.drop();
    const told = reportedTests(value, this.output.text, error);
    this.past = {
      tier: plan.item.target.tier,
      ...testsInHistory(told, this.output.text),
      ...(this.flaky.size > 0 && outcome === "passed" ? { flakyTests: [...this.flaky] } : {}),
      ...(this.place.isWatching ? editOf(plan, project.root) : {}),
    };
    if (learned !== undefined) ({ plan: this.plan, snapshot: this.snapshot } = learned);
    const finished: FinishedNotice = {
      kind: "finished",
      name: this.name,
      digest: this.plan.digest,
      outcome: fresh || outcome === "cancelled" ? outcome : "stale",
      fresh,
      ...(fresh ? {} : { moved }),
      durationMs,
      steps: { total: this.steps.total, cached: this.steps.cached },
      attempts: this.attempts,
      logFile: log.isThere ? log.file : undefined,
      error,
      ...(value === undefined ? {} : { value }),
      ...told,
    };
    return { finished, outcome };
  }

  /** Checks once more what the target asks for: since the project was read, a link may have come to lead elsewhere. */
  private requireTrust(): void {
    const { item } = this.plan;
    const { config, module, trust } = this.project;
    const missing =
      item.untrusted.length > 0
        ? item.untrusted
        : trust.missing(asksOfTarget(item, config, module, this.place.environment));
    if (missing.length > 0) throw refusal(missing);
  }

  /**
   * Starts the timeout, whose error names the running step, and the heartbeat of a silent run; returns what stops both.
   */
  private armTimers(): () => void {
    const { name, steps, startedMs } = this;
    const timeoutMs = this.plan.item.target.timeoutMs ?? this.place.timeoutMs;
    const heartbeat = setInterval(() => {
      const runningMs = Math.round(performance.now() - startedMs);
      this.place.emit({ kind: "still-running", name, runningMs, step: steps.newest });
    }, heartbeatMs);
    const timeOut = (): void => {
      const waited = steps.newest === undefined ? "" : ` while it ran: ${steps.newest}`;
      this.cancel(new UserError("timed-out", `${name} took longer than ${timeoutMs! / 1000} s${waited}`));
    };
    const timeout = timeoutMs === undefined ? undefined : setTimeout(timeOut, timeoutMs);
    return () => {
      clearInterval(heartbeat);
      clearTimeout(timeout);
    };
  }
}

function inProject({ root }: Project, file: string): string {
  return path.isAbsolute(file) ? path.relative(realpathSync(root), file) : file;
}

function outcomeOf(failure: unknown, signal: AbortSignal): Outcome {
  if (failure === undefined) return "passed";
  if (!signal.aborted) return "failed";
  return signal.reason instanceof UserError && signal.reason.code === "timed-out" ? "timed-out" : "cancelled";
}

/**
 * Reports whether the function itself failed, so that a retry may help: not a wrong configuration or a missing engine.
 */
function isFailedRun(error: unknown): boolean {
  return !(error instanceof UserError) || error.code === "function-failed";
}
