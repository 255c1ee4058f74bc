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
