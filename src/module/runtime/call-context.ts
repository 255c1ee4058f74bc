/** Tracks which call the running code belongs to: bodies run in parallel and share the SDK's global `dag`. */
import { AsyncLocalStorage } from "node:async_hooks";

export interface CallContext {
  callId: string;
  /** Id of the call in the parent. */
  id: number;
  signal: AbortSignal;
}

export const calls = new AsyncLocalStorage<CallContext>();
