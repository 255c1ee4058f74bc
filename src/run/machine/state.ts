import type { Reason, Resources } from "../../plan/index.ts";
import type { SettledHints } from "../../watch/index.ts";
import type { Limits } from "./limits.ts";

/** What is known of the files and of all functions at one moment; `machine.ts` defines how it changes. */
export interface LoopState {
  files: FilesState;
  /** In the order of the plan: a function comes after everything that it needs. */
  functions: readonly FunctionState[];
  limits: Limits;
  /**
   * Whether files are watched, so another scan may always follow. False: done when nothing runs and the files are
   * verified.
   */
  watching: boolean;
  /** The first failure cancels what runs, and nothing else starts. */
  failFast: boolean;
  /** An edit starts and cancels nothing: the functions that it affects are parked until they are requested. */
  manual: boolean;
  stopping: boolean;
}

/**
 * `unread`: the project has not been scanned yet. `unsettled`: hints come in or a scan is under way, and nothing
 * starts. `part-seen`: the plan covers only the hinted files, or functions have run since; everything is verified
 * before it is called up to date. `all-seen`: a scan saw everything. `unreadable`: the configuration or the module
 * cannot be read.
 */
export type FilesPhase = "unread" | "unsettled" | "part-seen" | "all-seen" | "verifying" | "verified" | "unreadable";

/** A scan of the hinted files, or of all of them, and what is to run whatever it finds. */
export interface RequestedScan extends SettledHints {
  forced?: Forced;
}

/** What is to run whatever its state: everything, or functions by name. */
export type Forced = ReadonlySet<string> | "all" | undefined;

export interface FilesState {
  phase: FilesPhase;
  /** The current scan. Scans run one after another, so each sees the files after the one before. */
  scanning: RequestedScan | undefined;
  /** Scans that wait for the current one. */
  waiting: readonly RequestedScan[];
  /** Number of the newest verify; the answer of an older one is ignored. */
  attempt: number;
  /** Whether any function has started yet. */
  hasRun: boolean;
  /** Number of verifies in a row that found touched files without a function starting after one of them. */
  touched: number;
}

/** `overtaken`: the run ended, but an input changed meanwhile; the scan that follows decides what comes next. */
export type Phase = "initial" | "queued" | "parked" | "running" | "cancelling" | "overtaken" | "idle" | "stopped";
/** Verdict for the newest files: `current` passed, `failed` did not, `blocked` waits for a need that failed. */
export type Verdict = "unknown" | "current" | "stale" | "failed" | "blocked" | "cancelled";

export interface FunctionState {
  name: string;
  needs: readonly string[];
  policy: "restart" | "queue";
  phase: Phase;
  verdict: Verdict;
  /** Digest of the newest files, which a result must carry to be up to date. */
  wanted: string;
  /** Whether the newest files need a run; false if they have a passed result. */
  affected: boolean;
  /** Digest that the running call was started with. */
  running: string | undefined;
  /** Digest that failed last, or whose run was cancelled; it is tried again when the files change, or on request. */
  failed: string | undefined;
  /** Whether the function still waits for its own quiet time. */
  held: boolean;
  /** Number of attempts in a row that the function's own inputs made stale. */
  overtaken: number;
  /** How many of those ran to their end instead of being cancelled by the edit. */
  endedStale: number;
  /** Whether the last of those passed, though on inputs that have changed since. */
  passedStale: boolean;
  reasons: readonly Reason[];
  /** The need that keeps the function from running. */
  blockedBy: string | undefined;
  uses: Resources;
  /** The used-up limit that the function waits for, though it could run otherwise. */
  shortOf: string | undefined;
}

export interface PlannedFunction {
  name: string;
  needs: readonly string[];
  policy: "restart" | "queue";
  digest: string;
  affected: boolean;
  reasons: readonly Reason[];
  /** Run even if it failed on the same files before. */
  forced: boolean;
  uses: Resources;
  /** The function still waits for its own quiet time, until `released`. */
  held?: boolean;
  /** Inputs changed during so many runs that no more follow; the function counts as failed. */
  givenUp?: boolean;
}

/** Outcome of an attempt by itself. */
export type Outcome = "passed" | "failed" | "cancelled" | "timed-out";

export type LoopEvent =
  /** Hints came in: what is known of the files may be outdated. */
  | { kind: "hinted" }
  /** A scan is requested. */
  | { kind: "scan"; scan: RequestedScan }
  /** A scan ended with this plan. Functions that it does not list are gone. */
  | {
      kind: "planned";
      functions: readonly PlannedFunction[];
      /** Files changed again during the scan: stale runs are cancelled, but nothing starts before the next scan. */
      unsettled?: boolean;
      /** All files were scanned, not only the hinted ones. */
      whole?: boolean;
      limits?: Limits;
    }
  /** The scan failed: configuration or module cannot be read. */
  | { kind: "unreadable" }
  /** Result of the verify with this number: whether the files are those of the last scan. */
  | { kind: "verified"; attempt: number; isStill: boolean }
  /** Files are watched from now on. */
  | { kind: "watch" }
  /** `fresh`: inputs did not change, so the result is that of `digest`; otherwise it belongs to no known state. */
  | {
      kind: "finished";
      name: string;
      digest: string;
      outcome: Outcome;
      fresh: boolean;
      /** Digest of the same files with the inputs that the run added; a scan has to plan it. */
      learned?: string;
    }
  /** The quiet time of these functions is over. */
  | { kind: "released"; names: readonly string[] }
  | { kind: "manual"; on: boolean }
  /** A user cancels the function's run, or takes it out of the queue. */
  | { kind: "cancel"; name: string }
  /** Run what is parked. */
  | { kind: "asked" }
  | { kind: "stop" };

export type Effect =
  | { kind: "scan"; scan: RequestedScan }
  /** Files changed between scans: everything is scanned once they rest. */
  | { kind: "rescan" }
  | { kind: "verify"; attempt: number }
  /** The verify under way is obsolete. */
  | { kind: "drop-verify" }
  /** Every function's verdict holds for the current files. */
  | { kind: "settled" }
  | { kind: "start"; name: string; digest: string; reasons: readonly Reason[] }
  | { kind: "cancel"; name: string; digest: string; why: CancelCause }
  | { kind: "blocked"; name: string; need: string }
  /** The function could run, but this limit has less left than it needs. */
  | { kind: "short"; name: string; of: string }
  /** The function's own inputs made it stale repeatedly: it waits before the next attempt. */
  | { kind: "restless"; name: string; times: number };

/**
 * After this many stale attempts in a row a function waits before each attempt, and its dependents may run on its
 * result.
 */
export const unstableFrom = 3;

export type CancelCause = "stale" | "gone" | "stop" | "fail-fast" | "asked";

export interface Step {
  state: LoopState;
  effects: Effect[];
}

export function initialState(options: {
  limits: Limits;
  watching?: boolean;
  failFast?: boolean;
  manual?: boolean;
}): LoopState {
  return {
    files: { phase: "unread", scanning: undefined, waiting: [], attempt: 0, hasRun: false, touched: 0 },
    functions: [],
    limits: options.limits,
    watching: options.watching ?? false,
    failFast: options.failFast ?? false,
    manual: options.manual ?? false,
    stopping: false,
  };
}

/** Reports whether nothing runs, nothing waits to run and no verdict is outstanding. */
export function isSettled(state: LoopState): boolean {
  return state.files.phase !== "unsettled" && functionsRest(state);
}

/** Reports whether a scan is under way or requested; it already includes the hints before it. */
export function isScanning({ files }: LoopState): boolean {
  return files.scanning !== undefined || files.waiting.length > 0;
}

/** Reports whether this scan is under way or requested. */
export function isPending({ files }: LoopState, scan: RequestedScan): boolean {
  return files.scanning === scan || files.waiting.includes(scan);
}

/** Reports whether nothing runs and nothing waits to run, whatever happens to the files. */
export function functionsRest({ functions }: LoopState): boolean {
  return functions.every((fn) => fn.phase === "idle" || fn.phase === "parked" || fn.phase === "stopped");
}

/** Initial state of a function. */
export function unknownFunction(name: string): FunctionState {
  return {
    name,
    needs: [],
    policy: "restart",
    phase: "initial",
    verdict: "unknown",
    wanted: "",
    affected: true,
    running: undefined,
    failed: undefined,
    held: false,
    overtaken: 0,
    endedStale: 0,
    passedStale: false,
    reasons: [],
    blockedBy: undefined,
    uses: { containers: 0, memoryBytes: 0, cpus: 0 },
    shortOf: undefined,
  };
}
