/** How properties are held against generated inputs: 10,000 of a fixed seed in the gate, more with others for a time. */
import { setImmediate } from "node:timers/promises";
import { assert, type IAsyncProperty, type IProperty } from "fast-check";

/** `FASTLOOP_FUZZ_SECONDS`: each property goes on with other seeds for so long (the nightly workflow). */
const seconds = Number(process.env["FASTLOOP_FUZZ_SECONDS"] ?? 0);
export const fuzzTimeoutMs = 120_000 + seconds * 2000;

/** Of the processor's time, which is no other process's. */
const longestMs = 1000;

/** Rounds of inputs; a failure names its seed. */
export async function fuzz(check: IProperty<unknown[]> | IAsyncProperty<unknown[]>, numRuns = 10_000): Promise<void> {
  const until = Date.now() + seconds * 1000;
  for (let seed = 20_260_101; ; seed = Math.floor(Math.random() * 2 ** 31)) {
    await assert(check as IAsyncProperty<unknown[]>, { seed, numRuns });
    // Vitest hears of the test between rounds.
    await setImmediate();
    if (Date.now() >= until) return;
  }
}

/** What the work gives; an input that keeps the processor for more than a second fails. */
export function inTime<T>(work: () => T): T {
  const before = process.cpuUsage();
  const result = work();
  const { user } = process.cpuUsage(before);
  if (user > longestMs * 1000) throw new Error(`one input took ${Math.round(user / 1000)} ms`);
  return result;
}
