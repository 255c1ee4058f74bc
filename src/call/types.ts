/** A parsed `fastloop call`: data, decided without an engine. */
import type { ArgumentInfo, FunctionInfo, Toolchain, TypeRef } from "../module/index.ts";

/** A value as it was written, checked against its type. Objects are made of it once there is a session. */
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

/** One function of the module, or its constructor (name ""), on the way. */
export interface OwnStep {
  kind: "function";
  object: string;
  fn: FunctionInfo;
  given: GivenArgument[];
}

/** A field of one of the module's objects. */
export interface FieldStep {
  kind: "field";
  /** As it is in the object's state. */
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
  /** Whose functions these are, where they are a toolchain's. */
  toolchain?: Toolchain;
  /** The constructor first, where there is one. */
  own: (OwnStep | FieldStep)[];
  core: CoreStep[];
  /** What the whole chain gives. */
  returns: TypeRef;
  output?: string;
  json: boolean;
  noCache: boolean;
  /** The configuration that goes for it; the nearest one where it names none. */
  config?: string;
  /** Nothing of the network is used. */
  offline: boolean;
  verbose: boolean;
  silent: boolean;
  /** `--trust` or `--no-trust` among the words. */
  trust?: boolean;
  /** Where function bodies run: a process beside the CLI, a Dagger engine's own containers, or `dagger call` itself. */
  via: "host" | "module" | "call";
  /** As given among the words of the call; there it says more than the environment. */
  engine?: string;
  /** The call as `dagger call` takes it: without what only fastloop knows. */
  words: string[];
  buildkitHost?: string;
  /** `--help` was among the words: what follows the chain so far is wanted, not run. */
  help: boolean;
}
