/** Time as the watch sees it; tests pass their own. */
export interface Clock {
  /** Milliseconds that never go back, whatever happens to the wall clock. */
  nowMs(): number;
  /** Runs `action` after `delayMs`; returns what cancels it. */
  after(delayMs: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
