/** A parsed `fastloop call`: plain data that needs no engine. */
import type { ArgumentInfo, FunctionInfo, Toolchain, TypeRef } from "../module/index.ts";

/** A value as written, checked against its type. Objects are created from it once there is a session. */
export type GivenValue =
  | { kind: "literal"; value: string | number | boolean }
  | { kind: "enum"; member: string }
  | { kind: "input"; fields: Record<string, string | number> }
  | { kind: "list"; items: GivenValue[] }
  | { kind: "directory" | "file"; path: string }
  | { kind: "git"; url: string; ref?: string; subdir?: string; wanted: "directory" | "file" | "repository" | "ref" }
  | { kind: "secret"; scheme: "env" | "file" | "cmd"; rest: string; uri: string }
  | { kind: "container"; address: string }
  | { kind: "service"; host: string; port: number; protocol: "TCP" | "UDP" }
  | { kind: "socket"; path: string }
  | { kind: "cache-volume"; key: string };

export interface GivenArgument {
  argument: ArgumentInfo;
  value: GivenValue;
}

/** A function of the module in the chain, or its constructor (name ""). */
export interface OwnStep {
  kind: "function";
  object: string;
  fn: FunctionInfo;
  given: GivenArgument[];
}

/** A field of one of the module's objects. */
export interface FieldStep {
  kind: "field";
  /** Name in the object's state. */
  name: string;
}

/** A field of the core API. */
export interface CoreStep {
  kind: "core";
  type: string;
  fn: FunctionInfo;
  given: GivenArgument[];
}

export interface ParsedCall {
  /** Toolchain that the functions belong to, if any. */
  toolchain?: Toolchain;
  /** Steps in the module; the constructor, if any, comes first. */
  own: (OwnStep | FieldStep)[];
  core: CoreStep[];
  /** Type of the whole chain's value. */
  returns: TypeRef;
  output?: string;
  json: boolean;
  noCache: boolean;
  /** Configuration file to use; by default the nearest one. */
  config?: string;
  /** Use no network. */
  offline: boolean;
  verbose: boolean;
  silent: boolean;
  /** Set by `--trust` or `--no-trust`. */
  trust?: boolean;
  /** Where function bodies run: in a local process, in a Dagger engine's own containers, or in `dagger call` itself. */
  via: "host" | "module" | "call";
  /** Engine named in the call; it overrides the environment. */
  engine?: string;
  /** The call in the words of `dagger call`, without options that only fastloop has. */
  words: string[];
  buildkitHost?: string;
  /** Set by `--help`: show what can follow the chain instead of running it. */
  help: boolean;
}
