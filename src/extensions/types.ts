/** Types of extensions besides `DiffStrategy`. The default export of an extension's file has one of these shapes. */
import type { Resources } from "../plan/index.ts";

/** Stores call results by digest. It receives sealed data, so it can lose a result but not forge one. */
export interface CacheBackend {
  readonly name: string;
  /** Returns the bytes stored under this key; undefined if there are none, or no longer. */
  get(key: string): Promise<Uint8Array | undefined> | Uint8Array | undefined;
  /** Stores bytes; after `keepMs` milliseconds they are not requested any more. */
  put(key: string, value: Uint8Array, options: { keepMs: number }): Promise<void> | void;
  /** Called once, when the command ends. */
  close?(): Promise<void> | void;
}

/** Decides whether one more function may start; `engine.limits` apply as well. */
export interface ResourceMonitor {
  readonly name: string;
  /** Returns what is in use, by any measure; `running` is what the running functions declare in `uses`. */
  currentUsage(running: readonly Resources[]): Promise<Resources> | Resources;
  /** Reports whether a function that declares `request` may start beside what is in use; called again until it may. */
  canAllocate(request: Resources, usage: Resources, limits: Resources): Promise<boolean> | boolean;
}
