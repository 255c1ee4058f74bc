/** What the CLI and the host process of function bodies say to each other, one JSON message a line. */
import type { EnumInfo, InterfaceInfo, ObjectInfo, ReturnedValue } from "../types.ts";

/** The part of a module that is needed to convert arguments and results. */
export interface HostModule {
  name: string;
  mainObject: string;
  objects: Record<string, ObjectInfo>;
  enums: Record<string, EnumInfo>;
  interfaces: Record<string, InterfaceInfo>;
  /** Names of modules that it depends on, as `dag` would offer them. */
  dependencies: string[];
}

export interface CallRequest {
  /** Default: the main object. */
  object?: string;
  /** Name in code. */
  function: string;
  /** The object that the function is called on; default: the main object, constructed with `constructorArgs`. */
  parent?: ReturnedValue;
  constructorArgs?: Record<string, unknown>;
  /** By name in code. Objects as ids (or as returned values), enums as member names; absent: not given. */
  args: Record<string, unknown>;
  /** Attributes the engine's steps and logs to this call. */
  callId: string;
}

export type ToHost =
  | { kind: "start"; bundleUrl: string; module: HostModule; sourceDir: string; port: number; token: string }
  | { kind: "call"; id: number; request: CallRequest }
  | { kind: "cancel"; id: number };

export type FromHost =
  | { kind: "ready" }
  | { kind: "broken"; error: HostError }
  | { kind: "result"; id: number; value: ReturnedValue }
  | { kind: "error"; id: number; error: HostError }
  | { kind: "log"; callId?: string; stream: "stdout" | "stderr"; text: string };

/** An error of a function body, as far as it can travel. */
export interface HostError {
  message: string;
  name: string;
  /** Stack lines inside the module, mapped to its sources. */
  frames: string[];
  /** Where the body says that the mistake is, in place of what its stack says; empty: nowhere in its code. */
  place?: string;
  /** A failed exec. */
  exec?: { command: string[]; exitCode: number; stdout: string; stderr: string };
}
