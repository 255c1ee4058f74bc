/**
 * Decides when a burst of hints has settled. Pure: state in, state and decision out; the time is an argument.
 *
 *             hint                    quiet for quietMs, or capMs after the first
 *   idle ───────────▶ collecting ────────────────────────────────────────────────▶ idle, "take"
 *                      │      ▲
 *        git is busy   ▼      │ git is done: quiet time starts again
 *                      holding
 */
export interface SettleState {
  phase: "idle" | "collecting" | "holding";
  firstHintMs: number;
  lastHintMs: number;
}

export interface SettleRules {
  /** Time that files must rest. */
  quietMs: number;
  /** Upper limit of the wait, so that a file that never rests (a log) does not hold up the others. */
  capMs: number;
}

export const defaultSettleRules: SettleRules = { quietMs: 50, capMs: 500 };
/** Interval at which the watch checks whether git has finished. */
export const gitPollMs = 100;

export const idle: SettleState = { phase: "idle", firstHintMs: 0, lastHintMs: 0 };

/** Handles a hint. */
export function hinted(state: SettleState, nowMs: number): SettleState {
  if (state.phase === "idle") return { phase: "collecting", firstHintMs: nowMs, lastHintMs: nowMs };
  return { ...state, lastHintMs: Math.max(nowMs, state.lastHintMs) };
}

export interface SettleDecision {
  state: SettleState;
  /** Whether the changes may be taken now. */
  take: boolean;
  /** Delay before the next check; undefined if there is nothing to wait for. */
  againInMs: number | undefined;
}

/**
 * Decides whether the changes may be taken. `gitIsBusy` overrides the cap: half a checkout is no state worth testing.
 */
export function decide(state: SettleState, nowMs: number, rules: SettleRules, gitIsBusy: boolean): SettleDecision {
  if (state.phase === "idle") return { state, take: false, againInMs: undefined };
  if (gitIsBusy) return { state: { ...state, phase: "holding" }, take: false, againInMs: gitPollMs };
  if (state.phase === "holding") {
    return {
      state: { phase: "collecting", firstHintMs: nowMs, lastHintMs: nowMs },
      take: false,
      againInMs: rules.quietMs,
    };
  }
  const quietInMs = state.lastHintMs + rules.quietMs - nowMs;
  const capInMs = state.firstHintMs + rules.capMs - nowMs;
  const waitMs = Math.min(quietInMs, capInMs);
  if (waitMs <= 0) return { state: idle, take: true, againInMs: undefined };
  return { state, take: false, againInMs: waitMs };
}
