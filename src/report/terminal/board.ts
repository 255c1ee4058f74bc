import path from "node:path";
import type { UserError } from "../../errors/index.ts";
import type { FinishedNotice, FunctionState, LoopNotice, LoopState } from "../../run/index.ts";
import { causes, failedTestLines, movedText, shortDigest, shortName, testsText } from "../text.ts";
import { printableText } from "./styled-line.ts";

/** State of a function, in the words of the view. */
export type RowStatus = "current" | "stale" | "running" | "failed" | "blocked" | "cancelled" | "unknown";

export interface BoardRow {
  name: string;
  standing: RowStatus;
  digest: string;
  /** Why it runs, ran or would run, or what it waits for. */
  cause: string;
  /** For a running function: the newest open step. */
  step: string | undefined;
  /** Last result of its test runners. */
  tests: string | undefined;
  /** For a running function: its start, by the monotonic clock. */
  startedMs: number | undefined;
  durationMs: number | undefined;
  /** Time of day at which it ended. */
  endedAt: Date | undefined;
  failure: Failure | undefined;
}

export interface Failure {
  message: string;
  /** A line for each failed test. */
  tests: readonly string[];
  /** Last lines of its output. */
  tail: readonly string[];
  /** Path of the whole log, relative to the working folder. */
  log: string | undefined;
}

/** Lines of output kept for the case that the function fails. */
const keptLines = 200;

interface Past {
  cause: string;
  startedMs: number | undefined;
  durationMs: number | undefined;
  endedAt: Date | undefined;
  failure: Failure | undefined;
  lines: string[];
  /** Open steps, in the order in which they began. */
  steps: string[];
  tests: string | undefined;
}

/** State of the view, built from the loop's notices. */
export class Board {
  private readonly past = new Map<string, Past>();
  private state: LoopState | undefined;
  private readonly cwd: string;
  /** What functions wait for before any can run, and since when. */
  waiting: { what: string; sinceMs: number } | undefined;
  /** Error that keeps the project from being read. */
  broken: UserError | undefined;

  constructor(cwd: string) {
    this.cwd = cwd;
  }

  get isManual(): boolean {
    return this.state?.manual === true;
  }

  get isBusy(): boolean {
    return (
      this.waiting !== undefined ||
      this.state?.functions.some((fn) => fn.phase === "running" || fn.phase === "cancelling") === true
    );
  }

  setState(state: LoopState): void {
    this.state = state;
  }

  /** Applies a notice; `nowMs` is monotonic, `at` the time of day. */
  note(notice: LoopNotice, nowMs: number, at: Date): void {
    switch (notice.kind) {
      case "started":
        Object.assign(this.of(notice.name), {
          cause: causes(notice.reasons, 2),
          startedMs: nowMs,
          lines: [],
          steps: [],
        });
        break;
      case "output": {
        const past = this.of(notice.name);
        past.lines.push(...notice.text.trimEnd().split("\n").map(printableText));
        if (past.lines.length > 2 * keptLines) past.lines.splice(0, past.lines.length - keptLines);
        break;
      }
      case "step": {
        const past = this.of(notice.name);
        const step = shortName(notice.step);
        // Two requests that wait for the same step both report it.
        past.steps = past.steps.filter((other) => other !== step);
        if (!notice.done) past.steps.push(step);
        break;
      }
      case "waiting":
        this.waiting = notice.done ? undefined : { what: notice.what, sinceMs: nowMs - notice.waitedMs };
        break;
      case "finished": {
        const past = this.of(notice.name);
        Object.assign(past, { startedMs: undefined, durationMs: notice.durationMs, endedAt: at });
        if (notice.outcome === "stale") past.cause = movedText(notice);
        else if (notice.outcome === "passed") past.failure = undefined;
        else if (notice.outcome !== "cancelled") past.failure = this.failureOf(notice, past.lines);
        past.lines = [];
        past.steps = [];
        if (notice.outcome === "passed" || notice.outcome === "failed") past.tests = testsText(notice);
        break;
      }
      case "restored":
        // The run that counts is the one that passed on these files.
        Object.assign(this.of(notice.name), {
          cause: "its files are as they were then",
          durationMs: notice.durationMs,
          endedAt: new Date(notice.endedAtMs),
          failure: undefined,
          // The known test results are of a later run.
          tests: undefined,
        });
        break;
      case "broken":
        this.broken = notice.error;
        break;
      case "recovered":
      case "planned":
        this.broken = undefined;
        break;
      default:
    }
  }

  /** Returns the rows in the order of the plan, limited to names that contain `filter`. */
  rows(filter = ""): BoardRow[] {
    return (this.state?.functions ?? []).filter((fn) => fn.name.includes(filter)).map((fn) => this.row(fn));
  }

  private row(fn: FunctionState): BoardRow {
    const past = this.past.get(fn.name);
    const standing = standingOf(fn);
    const waits = fn.phase === "queued" ? this.waitsFor(fn) : undefined;
    const isNews = standing === "stale" || standing === "blocked" || past === undefined;
    const cause =
      waits ??
      (standing === "blocked" ? `${fn.blockedBy} has not passed` : isNews ? causes(fn.reasons, 2) : past.cause);
    return {
      name: fn.name,
      standing,
      digest: shortDigest(fn.running ?? fn.wanted),
      cause: fn.phase === "cancelling" ? "being cancelled" : printableText(cause),
      step: past?.steps.at(-1),
      tests: standing === "current" || standing === "failed" ? past?.tests : undefined,
      startedMs: past?.startedMs,
      durationMs: past?.durationMs,
      endedAt: past?.endedAt,
      failure: standing === "failed" ? past?.failure : undefined,
    };
  }

  private waitsFor(fn: FunctionState): string {
    if (fn.shortOf !== undefined) return `waits for ${fn.shortOf}`;
    if (fn.held) return "waits for its files to rest";
    const need = this.state?.functions.find((other) => fn.needs.includes(other.name) && other.verdict !== "current");
    return need === undefined ? causes(fn.reasons, 2) : `waits for ${need.name}`;
  }

  private of(name: string): Past {
    let past = this.past.get(name);
    if (past === undefined) {
      past = {
        cause: "",
        startedMs: undefined,
        durationMs: undefined,
        endedAt: undefined,
        failure: undefined,
        lines: [],
        steps: [],
        tests: undefined,
      };
      this.past.set(name, past);
    }
    return past;
  }

  private failureOf({ error, logFile, outcome, failedTests }: FinishedNotice, lines: readonly string[]): Failure {
    const message = shortMessage(error?.message ?? outcome);
    const detail = error?.detail?.trimEnd().split("\n").map(printableText) ?? [];
    const tail = lines.length > 0 ? lines.slice(-keptLines) : detail;
    const hint = error?.hint === undefined ? [] : [printableText(`hint: ${error.hint}`)];
    return {
      message: error?.place === undefined ? message : `${error.place}: ${message}`,
      tests: failedTestLines(failedTests),
      tail: [...tail, ...hint],
      log: logFile && path.relative(this.cwd, logFile),
    };
  }
}

/** Shortens a message to one line, with the exit code first, because the command may be a whole script. */
function shortMessage(message: string): string {
  const [, command, code] = /^(.+) failed with (exit code \d+)$/s.exec(message) ?? [];
  const text = command === undefined ? message : `${code}: ${command}`;
  return printableText(text.replaceAll(/(\\n|\n)\s*/g, " "));
}

function standingOf(fn: FunctionState): RowStatus {
  if (fn.phase === "running") return fn.running === fn.wanted ? "running" : "stale";
  if (fn.phase === "queued" || fn.phase === "parked" || fn.phase === "overtaken") return "stale";
  if (fn.phase === "cancelling") return "cancelled";
  return fn.verdict;
}
