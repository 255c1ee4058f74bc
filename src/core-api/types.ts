/** Kind of the engine in use and the reason for choosing it; shown with `-v` and stored in run records. */
export interface EngineInfo {
  /** `embedded` is fastloop's own engine on BuildKit; `dagger` is a real Dagger engine. */
  kind: "embedded" | "dagger";
  /** For example `fastloop 0.1.0 on buildkit v0.33.1` or `dagger v0.21.9`. Part of every input digest. */
  version: string;
  /** One sentence: which choice of `--engine auto` this was, and what decided it. */
  reason: string;
}

/** Events of an engine while a session is open. Reporters only render them. */
export type EngineEvent =
  | { kind: "step-started"; callId?: string; step: string; name: string }
  | {
      kind: "step-done";
      callId?: string;
      step: string;
      name: string;
      cached: boolean;
      durationMs: number;
      error?: string;
    }
  | { kind: "log"; callId?: string; step: string; stream: "stdout" | "stderr"; text: string }
  | { kind: "notice"; text: string };

/** A cache that machines share, as BuildKit's type and attributes, for example `registry` with `ref`. */
export interface CacheLocation {
  type: string;
  attrs: Record<string, string>;
}

/** Caches that a session reads results from, and caches that it writes its results to. Embedded engine only. */
export interface SharedCache {
  from: readonly CacheLocation[];
  to: readonly CacheLocation[];
}

/** Limits that the containers of a session share. Embedded engine only. */
export interface EngineLimits {
  /** Maximum number of live containers, those of commands and of services together. */
  containers?: number;
  /** Memory limit in bytes; applies where the machine has cgroups. */
  memoryBytes?: number;
}
