/** What the CLI and the function runtime say to each other, one JSON message a line. */
import type { EnumInfo, InterfaceInfo, ObjectInfo, ReturnedValue, TypeRef } from "../types.ts";

/** The part of a module that is needed to convert arguments and results. */
export interface RuntimeModule {
  name: string;
  mainObject: string;
  objects: Record<string, ObjectInfo>;
  enums: Record<string, EnumInfo>;
  interfaces: Record<string, InterfaceInfo>;
}

/** A module that the body's depends on, in an engine's names, as its generated client has it. */
export interface DependencyClient {
  /** `dag.name()`. */
  name: string;
  /** Why nothing of it can be called. */
  refused?: string;
  /** What `dag.name()` gives. */
  main: string;
  /** What `dag.name()` takes. */
  parameters: ClientParameter[];
  /** Objects and interfaces. */
  objects: Record<string, Record<string, ClientFunction>>;
  /** Member's name in an engine -> its value in the dependency's code. */
  enums: Record<string, Record<string, string>>;
}

export interface ClientFunction {
  parameters: ClientParameter[];
  returns: TypeRef;
}

export interface ClientParameter {
  name: string;
  optional: boolean;
  type: TypeRef;
}

/** A call of a dependency's function, its constructor (`""` of no object) or a field; or a field of the workspace (`workspaceOwner`). */
export interface DependencyCall {
  dependency: string;
  /** The object that it is called on; absent: the constructor. */
  handle?: string;
  function: string;
  /** Core objects as ids, objects of the dependency as handles. */
  args: Record<string, unknown>;
}

/** An object of a dependency stays with the CLI; the body has its handle. Core objects as in `ReturnedValue`. */
export type DependencyValue =
  | null
  | string
  | number
  | boolean
  | DependencyValue[]
  | { $id: string; $type: string }
  | { $handle: string; $type: string };

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

export type ToRuntime =
  | {
      kind: "start";
      bundleUrl: string;
      module: RuntimeModule;
      dependencies: DependencyClient[];
      sourceDir: string;
      port: number;
      token: string;
    }
  | { kind: "call"; id: number; request: CallRequest }
  | { kind: "cancel"; id: number }
  | { kind: "answer"; ask: number; value: DependencyValue }
  | { kind: "refusal"; ask: number; error: RuntimeError };

export type FromRuntime =
  | { kind: "ready" }
  | { kind: "broken"; error: RuntimeError }
  | { kind: "result"; id: number; value: ReturnedValue }
  | { kind: "error"; id: number; error: RuntimeError }
  /** `call`: which call asks, by its id; `ask` numbers the question. */
  | { kind: "ask"; ask: number; call: number; request: DependencyCall }
  | { kind: "log"; callId?: string; stream: "stdout" | "stderr"; text: string };

/** An error of a function body, as far as it can travel. */
export interface RuntimeError {
  message: string;
  name: string;
  /** Stack lines inside the module, mapped to its sources. */
  frames: string[];
  /** Where the body says that the mistake is, in place of what its stack says; empty: nowhere in its code. */
  place?: string;
  /** A failed exec. */
  exec?: { command: string[]; exitCode: number; stdout: string; stderr: string };
}
