/** Time source of the watch; tests pass their own. */
export interface Clock {
  /** Monotonic milliseconds, independent of the wall clock. */
  nowMs(): number;
  /** Runs `action` after `delayMs`; returns the function that cancels it. */
  after(delayMs: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
