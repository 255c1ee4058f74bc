/** Long work on the daemon's event loop, in slices: between two of them everything else gets its turn. */
import { setImmediate } from "node:timers/promises";

const sliceMs = 8;
let sliceStartedMs = performance.now();
let pausing: Promise<void> | undefined;

/** Lets the others go on where the work of this turn has taken its time; costs next to nothing otherwise. */
export async function breathe(): Promise<void> {
  // Thousands may wait for the same turn: the first ones use it up, the others wait for the next.
  while (performance.now() - sliceStartedMs >= sliceMs) {
    pausing ??= setImmediate().then(() => {
      sliceStartedMs = performance.now();
      pausing = undefined;
    });
    await pausing;
  }
}

/** Work that is done step by step: it lets the others go on, and ends with the request that wanted it. */
export async function inSlices<T>(steps: Iterator<void, T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const { done, value } = steps.next();
    if (done === true) return value;
    await breathe();
  }
}
