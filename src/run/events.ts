import type { EngineInfo } from "../engine/types.ts";
import type { UserError } from "../errors/index.ts";
import type { Reason } from "../plan/index.ts";
import type { TestCounts } from "../text/index.ts";
import type { CancelCause, LoopState, Outcome } from "./machine/state.ts";

/** All that happens in a run or a watch. Terminal, JSON lines and the web page only render these. */
export type LoopNotice =
  /** The project was read: these functions are kept true, from so many files in so many folders. */
  | { kind: "ready"; targets: string[]; files: number; folders: number; tookMs: number; source: string }
  | { kind: "engine"; engine: EngineInfo }
  /** No function runs yet: the module is read, the engine starts. Told after a second, and now and then until `done`. */
  | { kind: "waiting"; what: string; waitedMs: number; done: boolean }
  /** Hints settled and files were compared. `changed` are the causes over all functions; empty: nothing that matters. */
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
  /** Current again without a run: the files are those of a run that passed before, which this tells of. */
  | {
      kind: "restored";
      name: string;
      digest: string;
      durationMs: number;
      endedAtMs: number;
      reasons: readonly Reason[];
    }
  | { kind: "blocked"; name: string; need: string }
  /** Every function is what it is on these files: nothing runs, nothing waits. */
  | { kind: "settled"; current: string[]; failed: string[]; blocked: string[]; parked: string[] }
  /** It failed and is tried once more. */
  | { kind: "retrying"; name: string; attempt: number; of: number; error: string }
  | { kind: "notice"; text: string }
  /** Configuration or module cannot be read; the watch goes on and recovers when it is mended. */
  | { kind: "broken"; error: UserError }
  | { kind: "recovered" };

export interface FinishedNotice {
  kind: "finished";
  name: string;
  digest: string;
  /** `stale`: it came to an end, but an input changed meanwhile; that says nothing of the files as they are. */
  outcome: Outcome | "stale";
  /** False exactly where inputs changed meanwhile: the result is that of no known state. */
  fresh: boolean;
  /** Files that changed meanwhile, relative to the project; where `fresh` is false, as far as they are known. */
  moved?: string[];
  durationMs: number;
  /** What it returned, as text. */
  value?: string;
  error?: {
    message: string;
    detail?: string;
    place?: string;
    exitCode: number;
    hint?: string;
    /** It was refused for what it asks of this machine, and did not run. */ untrusted?: true;
  };
  /** Steps of the engine, and how many of them came from its cache. */
  steps: { total: number; cached: number };
  /** What its test runners said, where it has any. */
  tests?: TestCounts;
  /** Tests that failed, by name; absent where none is named. */
  failedTests?: string[];
  /** How often it was tried; more than once only where retries are declared. */
  attempts: number;
  /** Path of the whole log; undefined where it could not be kept. */
  logFile: string | undefined;
}

export type LoopListener = (notice: LoopNotice, state: LoopState) => void;
