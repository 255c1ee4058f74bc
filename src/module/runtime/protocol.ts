/** Messages between the CLI and the function runtime, one line of JSON each. */
import type { EnumInfo, InterfaceInfo, ObjectInfo, ReturnedValue, TypeRef } from "../types.ts";

/** The part of a module that is needed to convert arguments and results. */
export interface RuntimeModule {
  name: string;
  mainObject: string;
  objects: Record<string, ObjectInfo>;
  enums: Record<string, EnumInfo>;
  interfaces: Record<string, InterfaceInfo>;
}

/** A dependency of the body's module in engine names, as its generated client has it. */
export interface DependencyClient {
  /** Name in `dag.name()`. */
  name: string;
  /** Why none of its functions can be called. */
  refused?: string;
  /** Type that `dag.name()` returns. */
  main: string;
  /** Parameters of `dag.name()`. */
  parameters: ClientParameter[];
  /** Objects and interfaces. */
  objects: Record<string, Record<string, ClientFunction>>;
  /** Member's name in the engine -> its value in the dependency's code. */
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

/**
 * A call of a dependency's function, constructor (`""` without an object) or field, or a read of the workspace
 * (`workspaceOwner`).
 */
export interface DependencyCall {
  dependency: string;
  /** Object that the function is called on; absent for the constructor. */
  handle?: string;
  function: string;
  /** Core objects as ids, objects of the dependency as handles. */
  args: Record<string, unknown>;
}

/**
 * An object of a dependency stays in the CLI, and the body holds a handle of it. Core objects are as in
 * `ReturnedValue`.
 */
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
  /** Object that the function is called on; default: the main object, constructed with `constructorArgs`. */
  parent?: ReturnedValue;
  constructorArgs?: Record<string, unknown>;
  /**
   * Arguments by name in code: objects as ids (or returned values), enums as member names; missing ones are not passed.
   */
  args: Record<string, unknown>;
  /** Id by which the engine's steps and logs are attributed to this call. */
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
  /** `call` is the id of the asking call; `ask` numbers the request. */
  | { kind: "ask"; ask: number; call: number; request: DependencyCall }
  | { kind: "log"; callId?: string; stream: "stdout" | "stderr"; text: string };

/** An error of a function body, reduced to what can be serialized. */
export interface RuntimeError {
  message: string;
  name: string;
  /** Stack lines inside the module, mapped to its sources. */
  frames: string[];
  /** Location given by the body, which replaces that of the stack; empty if the error is not in its code. */
  place?: string;
  /** Details of a failed exec. */
  exec?: { command: string[]; exitCode: number; stdout: string; stderr: string };
}
