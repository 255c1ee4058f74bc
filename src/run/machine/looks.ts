/** What is known of the files; the diagram is in machine.ts. */
import { functionsRest, type Effect, type FilesState, type Look, type LoopState, type Step } from "./state.ts";

/** Without a watch so many looks in a row may find files touched and nothing to run: some program touches them for ever. */
const touchedRounds = 3;

/** Hints came in: nothing starts before the look that follows, and a verify would find them. */
export function filesMoved(state: LoopState): Step {
  return {
    state: withFiles(state, { phase: "unsettled" }),
    effects: state.files.phase === "verifying" ? [{ kind: "drop-verify" }] : [],
  };
}

/** A look is wanted: it comes at once, or after those that were wanted before. */
export function wantLook(before: LoopState, look: Look): Step {
  if (before.stopping) return { state: before, effects: [] };
  const { state, effects } = filesMoved(before);
  const { looking, waiting } = state.files;
  if (looking !== undefined) return { state: withFiles(state, { waiting: [...waiting, look] }), effects };
  return { state: withFiles(state, { looking: look }), effects: [...effects, { kind: "look", look }] };
}

/** A look has ended: with a plan, or with files that cannot be read. The next one that is wanted begins. */
export function endLook(state: LoopState, found: { unsettled: boolean; whole: boolean } | "unreadable"): Step {
  const [looking, ...waiting] = state.files.waiting;
  const effects: Effect[] = looking === undefined ? [] : [{ kind: "look", look: looking }];
  return { state: withFiles(state, { phase: phaseAfter(), looking, waiting }), effects };

  function phaseAfter(): FilesState["phase"] {
    if (looking !== undefined) return "unsettled";
    if (found === "unreadable") return "unreadable";
    if (found.unsettled) return "unsettled";
    const { hasRun, touched } = state.files;
    // Who waits for the end of a single run is told what was true at one moment, after all that has run.
    const isEnough = state.watching || !hasRun || touched >= touchedRounds;
    return found.whole && isEnough ? "all-seen" : "part-seen";
  }
}

/** A verify has ended; the answer of one that was dropped or followed by another changes nothing. */
export function endVerify(state: LoopState, attempt: number, isStill: boolean): Step {
  const { phase, touched, attempt: newest } = state.files;
  if (phase !== "verifying" || attempt !== newest) return { state, effects: [] };
  if (isStill) return { state: withFiles(state, { phase: "verified" }), effects: [{ kind: "settled" }] };
  return { state: withFiles(state, { phase: "unsettled", touched: touched + 1 }), effects: [{ kind: "rescan" }] };
}

/** No look is wanted any more. */
export function stopLooks(state: LoopState): Step {
  if (state.files.phase !== "verifying") return { state: withFiles(state, { waiting: [] }), effects: [] };
  return { state: withFiles(state, { waiting: [], phase: "part-seen" }), effects: [{ kind: "drop-verify" }] };
}

/** When nothing runs any more the files are verified, unless a look has just seen all of them. */
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

/** While a function runs, time passes: what was seen before it says nothing of the files after it. */
function afterStarts({ state, effects }: Step): Step {
  if (!effects.some(({ kind }) => kind === "start")) return { state, effects };
  const phase = state.files.phase === "verifying" ? "verifying" : "part-seen";
  return { state: withFiles(state, { phase, hasRun: true, touched: 0 }), effects };
}

function withFiles(state: LoopState, change: Partial<FilesState>): LoopState {
  return { ...state, files: { ...state.files, ...change } };
}
