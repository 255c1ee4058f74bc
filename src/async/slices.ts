/** Splits long work on the daemon's event loop into slices, so that everything else gets its turn in between. */
import { setImmediate } from "node:timers/promises";

const sliceMs = 8;
let sliceStartedMs = performance.now();
let pausing: Promise<void> | undefined;

/** Yields to the event loop if the current slice is used up; otherwise costs next to nothing. */
export async function breathe(): Promise<void> {
  // Thousands may wait for the same turn: the first ones use it up, and the others wait for the next.
  while (performance.now() - sliceStartedMs >= sliceMs) {
    pausing ??= setImmediate().then(() => {
      sliceStartedMs = performance.now();
      pausing = undefined;
    });
    await pausing;
  }
}

/** Runs work step by step, yielding in between. Throws the signal's reason when the request behind it is aborted. */
export async function inSlices<T>(steps: Iterator<void, T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const { done, value } = steps.next();
    if (done === true) return value;
    await breathe();
  }
}
