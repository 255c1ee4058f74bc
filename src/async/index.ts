/** Waiting for promises and signals, and letting others have their turn. */
export { breathe, inSlices } from "./slices.ts";
export { aborted, orAborted } from "./waits.ts";
