/** Waiting for promises and signals, yielding to other work, computing in threads, signals to process groups. */
export { Conditions } from "./conditions.ts";
export { Budget } from "./budget.ts";
export { joined, type Joined } from "./joined.ts";
export { breathe, inSlices } from "./slices.ts";
export { inThread, type ThreadOptions } from "./thread.ts";
export { signalGroup } from "./process-group.ts";
export { aborted, orAborted, withinMs } from "./waits.ts";
