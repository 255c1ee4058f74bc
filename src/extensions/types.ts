/** What an extension can be, besides a `DiffStrategy`. The default export of its file is an object of such a shape. */
import type { Resources } from "../plan/index.ts";

/** Keeps results of calls by their digest. What it is given is sealed: it can lose a result, not forge one. */
export interface CacheBackend {
  readonly name: string;
  /** The bytes that were put under this key; undefined where there are none any more. */
  get(key: string): Promise<Uint8Array | undefined> | Uint8Array | undefined;
  /** `keepMs`: nobody asks for it any more after that. */
  put(key: string, value: Uint8Array, options: { keepMs: number }): Promise<void> | void;
  /** Called once, when the command ends. */
  close?(): Promise<void> | void;
}

/** Says whether one more function may start; `engine.limits` hold besides. */
export interface ResourceMonitor {
  readonly name: string;
  /** What is in use, by whatever measure. `running`: what the functions that run declare in `uses`. */
  currentUsage(running: readonly Resources[]): Promise<Resources> | Resources;
  /** Whether a function that declares `request` may start beside what is in use; asked again until it may. */
  canAllocate(request: Resources, usage: Resources, limits: Resources): Promise<boolean> | boolean;
}
