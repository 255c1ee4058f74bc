/** Which call the running code belongs to: bodies run in parallel and share the SDK's one global `dag`. */
import { AsyncLocalStorage } from "node:async_hooks";

export interface CallContext {
  callId: string;
  /** Which of the parent's calls it is. */
  id: number;
  signal: AbortSignal;
}

export const calls = new AsyncLocalStorage<CallContext>();
