import type { Reason, Resources } from "../../plan/index.ts";
import type { SettledHints } from "../../watch/index.ts";
import type { Limits } from "./limits.ts";

/** What is known of the files and of all functions at one moment; `machine.ts` says how it changes. */
export interface LoopState {
  files: FilesState;
  /** In the order of the plan: a function comes after all that it needs. */
  functions: readonly FunctionState[];
  limits: Limits;
  /** Files are watched: there is always a next look. False: it is over when nothing runs and the files are verified. */
  watching: boolean;
  /** The first failure cancels what runs and starts nothing else. */
  failFast: boolean;
  /** An edit starts and cancels nothing: what it affects is parked until it is asked for. */
  manual: boolean;
  stopping: boolean;
}

/**
 * `unread`: the project was not looked at yet. `unsettled`: hints come in or a look is under way, and nothing starts.
 * `part-seen`: the plan is that of the files that hints named, or functions ran since: the whole is verified before
 * anything is said. `all-seen`: a look saw everything. `unreadable`: the configuration or the module cannot be read.
 */
export type FilesPhase = "unread" | "unsettled" | "part-seen" | "all-seen" | "verifying" | "verified" | "unreadable";

/** A look at the files: those that hints named, or all of them; and what is to run whatever it finds. */
export interface Look extends SettledHints {
  forced?: Forced;
}

/** What is asked for whatever its state: everything, or functions by name. */
export type Forced = ReadonlySet<string> | "all" | undefined;

export interface FilesState {
  phase: FilesPhase;
  /** Looks come one after another: each sees the files after the one before. */
  looking: Look | undefined;
  /** Looks that wait for the one before. */
  waiting: readonly Look[];
  /** Number of the newest verify: the answer of an older one says nothing. */
  attempt: number;
  /** Whether a function has started since the beginning. */
  hasRun: boolean;
  /** Verifies in a row that found files touched, without a function that started after one. */
  touched: number;
}

/** `overtaken`: it ended, but an input moved meanwhile; the look that follows decides what comes next. */
export type Phase = "initial" | "queued" | "parked" | "running" | "cancelling" | "overtaken" | "idle" | "stopped";
/** What is known of the newest files: `current` passed, `failed` did not, `blocked` waits for a need that failed. */
export type Verdict = "unknown" | "current" | "stale" | "failed" | "blocked" | "cancelled";

export interface FunctionState {
  name: string;
  needs: readonly string[];
  policy: "restart" | "queue";
  phase: Phase;
  verdict: Verdict;
  /** Digest of the newest files; what a result must carry to be current. */
  wanted: string;
  /** Whether the newest files need a run; false: a passed result of them is there. */
  affected: boolean;
  /** Digest that the running call was started with. */
  running: string | undefined;
  /** Digest that failed last, or whose run somebody ended: it is tried again when it changes, or when asked. */
  failed: string | undefined;
  /** Its own quiet time is not over yet. */
  held: boolean;
  /** How many attempts in a row its own inputs made stale. */
  overtaken: number;
  /** How many of these came to their end, not cancelled by the edit. */
  endedStale: number;
  /** Whether the last of these passed, though on inputs that are others by now. */
  passedStale: boolean;
  reasons: readonly Reason[];
  /** Which need keeps it from running. */
  blockedBy: string | undefined;
  uses: Resources;
  /** What it waits for though it could run: the limit that others have used up. */
  shortOf: string | undefined;
}

export interface PlannedFunction {
  name: string;
  needs: readonly string[];
  policy: "restart" | "queue";
  digest: string;
  affected: boolean;
  reasons: readonly Reason[];
  /** Run even though it failed on the same files before. */
  forced: boolean;
  uses: Resources;
  /** Its own quiet time is not over: it waits for `released`. */
  held?: boolean;
  /** Its inputs moved in so many runs that no other follows: it counts as failed. */
  givenUp?: boolean;
}

/** What came of an attempt by itself. */
export type Outcome = "passed" | "failed" | "cancelled" | "timed-out";

export type LoopEvent =
  /** Hints came in: what is known of the files may be old. */
  | { kind: "hinted" }
  /** Somebody wants the files looked at. */
  | { kind: "look"; look: Look }
  /** The files were looked at: this is what they mean. Functions that are not listed are gone. */
  | {
      kind: "planned";
      functions: readonly PlannedFunction[];
      /** Files moved again meanwhile: what became stale is cancelled, but nothing starts before the next look. */
      unsettled?: boolean;
      /** All files were looked at, not only those that hints named. */
      whole?: boolean;
      limits?: Limits;
    }
  /** The look failed: configuration or module cannot be read. */
  | { kind: "unreadable" }
  /** Whether the files are those of the last look, as the verify with this number found. */
  | { kind: "verified"; attempt: number; isStill: boolean }
  /** From now on files are watched. */
  | { kind: "watch" }
  /** `fresh`: its inputs stood still, so the result is that of `digest`; else it is that of no known state. */
  | {
      kind: "finished";
      name: string;
      digest: string;
      outcome: Outcome;
      fresh: boolean;
      /** The same files by what the run has taught of its inputs: another digest, which a look has to plan. */
      learned?: string;
    }
  /** The quiet time of these is over. */
  | { kind: "released"; names: readonly string[] }
  | { kind: "manual"; on: boolean }
  /** Somebody ends its run, or takes it out of the queue. */
  | { kind: "cancel"; name: string }
  /** Runs what is parked. */
  | { kind: "asked" }
  | { kind: "stop" };

export type Effect =
  | { kind: "look"; look: Look }
  /** Files moved while nobody looked: everything is looked at once they rest. */
  | { kind: "rescan" }
  | { kind: "verify"; attempt: number }
  /** The verify under way means nothing any more. */
  | { kind: "drop-verify" }
  /** Every function is what it is on the files as they are. */
  | { kind: "settled" }
  | { kind: "start"; name: string; digest: string; reasons: readonly Reason[] }
  | { kind: "cancel"; name: string; digest: string; why: CancelCause }
  | { kind: "blocked"; name: string; need: string }
  /** It could run, but what it uses of that limit would be more than is left. */
  | { kind: "short"; name: string; of: string }
  /** Its own inputs made it stale again and again: it waits before the next attempt. */
  | { kind: "restless"; name: string; times: number };

/** From so many attempts in a row on, a function waits, and those that need it may run on what it made. */
export const restlessFrom = 3;

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
    files: { phase: "unread", looking: undefined, waiting: [], attempt: 0, hasRun: false, touched: 0 },
    functions: [],
    limits: options.limits,
    watching: options.watching ?? false,
    failFast: options.failFast ?? false,
    manual: options.manual ?? false,
    stopping: false,
  };
}

/** Nothing runs, nothing waits to run and nothing is unknown. */
export function isSettled(state: LoopState): boolean {
  return state.files.phase !== "unsettled" && functionsRest(state);
}

/** A look is under way or wanted: the hints before it are taken already. */
export function isLooking({ files }: LoopState): boolean {
  return files.looking !== undefined || files.waiting.length > 0;
}

/** That look is wanted or under way. */
export function isPending({ files }: LoopState, look: Look): boolean {
  return files.looking === look || files.waiting.includes(look);
}

/** Nothing runs and nothing waits to run, whatever the files do. */
export function functionsRest({ functions }: LoopState): boolean {
  return functions.every((fn) => fn.phase === "idle" || fn.phase === "parked" || fn.phase === "stopped");
}

/** A function that nothing is known of yet. */
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
