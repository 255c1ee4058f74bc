/** What kind of engine answers, and why it was chosen; shown with `-v` and stored in run records. */
export interface EngineInfo {
  /** `embedded` is ours on BuildKit; `dagger` is a real Dagger engine. */
  kind: "embedded" | "dagger";
  /** e.g. `fastloop 0.1.0 on buildkit v0.33.1`, `dagger v0.21.9`. Part of every input digest. */
  version: string;
  /** One sentence: which choice of `--engine auto` it was and what decided it. */
  reason: string;
}

/** What happens in an engine while a session is open. Reporters only render these. */
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

/** A cache that machines share: BuildKit's type and attributes, e.g. `registry` with `ref`. */
export interface CacheLocation {
  type: string;
  attrs: Record<string, string>;
}

/** What a session takes results from, and where `close` writes its own. For the embedded engine only. */
export interface SharedCache {
  from: readonly CacheLocation[];
  to: readonly CacheLocation[];
}

/** What the containers of a session may take together. For the embedded engine only. */
export interface EngineLimits {
  /** How many of them live at a time, of commands and of services. */
  containers?: number;
  /** Where the machine has cgroups. */
  memoryBytes?: number;
}
