/** Waiting for promises and signals, yielding to other work, computing in threads. */
export { Conditions } from "./conditions.ts";
export { Budget } from "./budget.ts";
export { joined, type Joined } from "./joined.ts";
export { breathe, inSlices } from "./slices.ts";
export { inThread, type ThreadOptions } from "./thread.ts";
export { aborted, orAborted, withinMs } from "./waits.ts";
