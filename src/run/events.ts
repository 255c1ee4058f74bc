import type { EngineInfo } from "../engine/types.ts";
import type { UserError } from "../errors/index.ts";
import type { Reason } from "../plan/index.ts";
import type { TestCounts } from "../text/index.ts";
import type { CancelCause, LoopState, Outcome } from "./machine/state.ts";

/** Everything that happens in a run or a watch. Terminal, JSON lines and the web page only render these. */
export type LoopNotice =
  /** The project was read: these targets are kept up to date, from so many files in so many folders. */
  | { kind: "ready"; targets: string[]; files: number; folders: number; tookMs: number; source: string }
  | { kind: "engine"; engine: EngineInfo }
  /**
   * No function runs yet: the module is being read, or the engine starts. Sent after a second, then now and then until
   * `done`.
   */
  | { kind: "waiting"; what: string; waitedMs: number; done: boolean }
  /**
   * Hints settled and files were compared. `affected` has the causes of each function; it is empty when nothing
   * relevant changed.
   */
  | {
      kind: "planned";
      affected: { name: string; digest: string; reasons: readonly Reason[] }[];
      current: string[];
      look: string;
      tookMs: number;
    }
  | { kind: "started"; name: string; digest: string; reasons: readonly Reason[]; atMs: number }
  | { kind: "step"; name: string; step: string; done: boolean; cached: boolean; durationMs?: number }
  | { kind: "output"; name: string; stream: "stdout" | "stderr"; text: string }
  | { kind: "still-running"; name: string; runningMs: number; step: string | undefined }
  | { kind: "cancelling"; name: string; digest: string; why: CancelCause }
  | FinishedNotice
  /**
   * Up to date again without a run: the files equal those of an earlier run that passed, which this notice describes.
   */
  | {
      kind: "restored";
      name: string;
      digest: string;
      durationMs: number;
      endedAtMs: number;
      reasons: readonly Reason[];
    }
  | { kind: "blocked"; name: string; need: string }
  /** Every function's verdict holds for the current files: nothing runs, nothing waits. */
  | { kind: "settled"; current: string[]; failed: string[]; blocked: string[]; parked: string[] }
  /** The function failed and is tried again. */
  | { kind: "retrying"; name: string; attempt: number; of: number; error: string }
  | { kind: "notice"; text: string }
  /** Configuration or module cannot be read; the watch goes on and recovers when they are fixed. */
  | { kind: "broken"; error: UserError }
  | { kind: "recovered" };

export interface FinishedNotice {
  kind: "finished";
  name: string;
  digest: string;
  /** `stale`: the run finished, but an input changed meanwhile, so its outcome says nothing about the current files. */
  outcome: Outcome | "stale";
  /** False exactly when inputs changed during the run: the result belongs to no known state of the files. */
  fresh: boolean;
  /**
   * Files that changed during the run, relative to the project, as far as they are known; set when `fresh` is false.
   */
  moved?: string[];
  durationMs: number;
  /** The returned value as text. */
  value?: string;
  error?: {
    message: string;
    detail?: string;
    place?: string;
    exitCode: number;
    hint?: string;
    /** Refused for what it asks of the host; it did not run. */ untrusted?: true;
  };
  /** Steps of the engine, and how many of them came from its cache. */
  steps: { total: number; cached: number };
  /** Counts that the function's test runners printed, if it has any. */
  tests?: TestCounts;
  /** Names of the tests that failed; absent when none is named. */
  failedTests?: string[];
  /** Number of attempts; more than one only where retries are declared. */
  attempts: number;
  /** Path of the full log; undefined when it could not be kept. */
  logFile: string | undefined;
}

export type LoopListener = (notice: LoopNotice, state: LoopState) => void;
