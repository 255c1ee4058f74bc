/** What is known of the files; the diagram is in machine.ts. */
import { functionsRest, type Effect, type FilesState, type RequestedScan, type LoopState, type Step } from "./state.ts";

/**
 * Without a watch, at most this many scans in a row may find touched files and nothing to run: some program may touch
 * files for ever.
 */
const touchedRounds = 3;

/**
 * Handles hints: nothing starts before the scan that follows, and a running verify is dropped, as it would see them.
 */
export function filesChanged(state: LoopState): Step {
  return {
    state: withFiles(state, { phase: "unsettled" }),
    effects: state.files.phase === "verifying" ? [{ kind: "drop-verify" }] : [],
  };
}

/** Requests a scan, which starts at once or after those that were requested before. */
export function requestScan(before: LoopState, scan: RequestedScan): Step {
  if (before.stopping) return { state: before, effects: [] };
  const { state, effects } = filesChanged(before);
  const { scanning, waiting } = state.files;
  if (scanning !== undefined) return { state: withFiles(state, { waiting: [...waiting, scan] }), effects };
  return { state: withFiles(state, { scanning: scan }), effects: [...effects, { kind: "scan", scan }] };
}

/** Handles the end of a scan, with a plan or with files that cannot be read. The next requested scan starts. */
export function endScan(state: LoopState, found: { unsettled: boolean; whole: boolean } | "unreadable"): Step {
  const [scanning, ...waiting] = state.files.waiting;
  const effects: Effect[] = scanning === undefined ? [] : [{ kind: "scan", scan: scanning }];
  return { state: withFiles(state, { phase: phaseAfter(), scanning, waiting }), effects };

  function phaseAfter(): FilesState["phase"] {
    if (scanning !== undefined) return "unsettled";
    if (found === "unreadable") return "unreadable";
    if (found.unsettled) return "unsettled";
    const { hasRun, touched } = state.files;
    // A single run reports what was true at one moment, after everything that ran.
    const isEnough = state.watching || !hasRun || touched >= touchedRounds;
    return found.whole && isEnough ? "all-seen" : "part-seen";
  }
}

/** Handles the end of a verify. The answer of one that was dropped, or that a newer one replaced, changes nothing. */
export function endVerify(state: LoopState, attempt: number, isStill: boolean): Step {
  const { phase, touched, attempt: newest } = state.files;
  if (phase !== "verifying" || attempt !== newest) return { state, effects: [] };
  if (isStill) return { state: withFiles(state, { phase: "verified" }), effects: [{ kind: "settled" }] };
  return { state: withFiles(state, { phase: "unsettled", touched: touched + 1 }), effects: [{ kind: "rescan" }] };
}

/** Drops requested scans and a running verify. */
export function dropScans(state: LoopState): Step {
  if (state.files.phase !== "verifying") return { state: withFiles(state, { waiting: [] }), effects: [] };
  return { state: withFiles(state, { waiting: [], phase: "part-seen" }), effects: [{ kind: "drop-verify" }] };
}

/** Verifies the files once nothing runs any more, unless a scan has just seen all of them. */
export function verifyAtRest(step: Step): Step {
  const { state, effects } = afterStarts(step);
  const { phase, attempt } = state.files;
  const rests = functionsRest(state);
  if (phase === "verifying" && !rests)
    return { state: withFiles(state, { phase: "part-seen" }), effects: [...effects, { kind: "drop-verify" }] };
  if (state.stopping || !rests) return { state, effects };
  if (phase === "all-seen")
    return { state: withFiles(state, { phase: "verified" }), effects: [...effects, { kind: "settled" }] };
  if (phase !== "part-seen") return { state, effects };
  return {
    state: withFiles(state, { phase: "verifying", attempt: attempt + 1 }),
    effects: [...effects, { kind: "verify", attempt: attempt + 1 }],
  };
}

/** What was seen before a function ran says nothing about the files afterwards. */
function afterStarts({ state, effects }: Step): Step {
  if (!effects.some(({ kind }) => kind === "start")) return { state, effects };
  const phase = state.files.phase === "verifying" ? "verifying" : "part-seen";
  return { state: withFiles(state, { phase, hasRun: true, touched: 0 }), effects };
}

function withFiles(state: LoopState, change: Partial<FilesState>): LoopState {
  return { ...state, files: { ...state.files, ...change } };
}
