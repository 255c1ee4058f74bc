/** A Dagger TypeScript module as read from its sources, without an engine. JSON-serialisable: it is cached on disk. */
export interface ModuleInfo {
  /** `name` of dagger.json. */
  name: string;
  /** Folder of dagger.json, absolute, real path. */
  root: string;
  /** Absolute folder whose `src/` holds the code (`source` of dagger.json). */
  sourceDir: string;
  /** Nearest parent with `.git`, else `root`: what its packages may come from. */
  repository: string;
  /** What `defaultPath: "/x"` is relative to: the repository. */
  contextDir: string;
  /** What `defaultPath: "x"` is relative to, where that is not `root`: the folder that uses the module as toolchain or blueprint. */
  contextRoot?: string;
  /** As a blueprint: how whoever uses it names it, and that project's own name where it has one. */
  usedAs?: { name: string; project?: string };
  /** fastloop's own module at work on another project: `contextDir` is that project, which no engine can know. */
  borrowed?: boolean;
  engineVersion: string;
  /** It has no code: its functions are those of its toolchains. */
  isCodeless?: true;
  /** Modules it depends on. */
  dependencies: Dependency[];
  /** Modules whose functions are offered beside its own: `eslint:lint`. */
  toolchains: Toolchain[];
  /** SHA-256 over dagger.json and every module source file (path, mode, content). */
  ownDigest: string;
  /** `ownDigest`, and `name@ownDigest` of each module that it depends on, through others too; part of each function's digest. */
  digest: string;
  /** Name of the main object (PascalCase of the module's name). */
  mainObject: string;
  objects: Record<string, ObjectInfo>;
  enums: Record<string, EnumInfo>;
  interfaces: Record<string, InterfaceInfo>;
  /** The comment at the top of the main object's file. */
  description: string;
  /** What the scan warned about, e.g. a default value that only exists at run time. */
  warnings: string[];
  /** Ports of this machine that lead to services, as dagger.toml says; by `module:function`. */
  ports?: { host: number; service: string; port: number }[];
  /** `file:line` of each line of the sources that has `insecureRootCapabilities` in it. */
  insecurePlaces: string[];
}

/** A module that another one depends on: read, or why its functions can't be called here. */
export type Dependency = {
  /** Name in code: `dag.name()`. */
  name: string;
} & ({ module: ModuleInfo } | { refused: string });

export interface Toolchain {
  /** As the command line has it. */
  name: string;
  /** In the project's place, with the project's defaults. */
  module: ModuleInfo;
  /** Patterns of checks and generators that the project leaves out. */
  ignoreChecks: string[];
  ignoreGenerators: string[];
  ignoreServices: string[];
}

export interface InterfaceInfo {
  name: string;
  description: string;
  functions: Record<string, FunctionInfo>;
}

export interface EnumInfo {
  name: string;
  description: string;
  /** Member name (what goes over the wire and on the command line) -> value in code. */
  members: Record<string, { name: string; value: string; description: string; deprecated?: string }>;
}

export interface ObjectInfo {
  name: string;
  description: string;
  /** `class` with methods, or a type alias that only has fields. */
  kind: "class" | "object";
  constructorArguments?: ArgumentInfo[];
  /** Keyed by the name in code (camelCase); `alias`, where there is one, is the name on the command line. */
  functions: Record<string, FunctionInfo>;
  fields: Record<string, FieldInfo>;
  /** Functions of base classes, which an engine does not see: by name in code, with the base and the `file:line`. */
  inherited?: { name: string; from: string; place: string }[];
  /** The text of `@deprecated`; empty where there is none behind the tag. So for functions, fields, arguments and members. */
  deprecated?: string;
  /** `file:line` in the module, relative to `root`. */
  place?: string;
}

export interface FieldInfo {
  name: string;
  description: string;
  deprecated?: string;
  type: TypeRef;
  exposed: boolean;
  alias?: string;
}

export interface FunctionInfo {
  /** Name in code; `cliName` of it is what the command line has. */
  name: string;
  alias?: string;
  description: string;
  deprecated?: string;
  /** In declaration order. */
  arguments: ArgumentInfo[];
  returns: TypeRef;
  /** `never`, `session`, a Go duration such as `1h`, or undefined: the default of 7 days. */
  cache?: string;
  isCheck: boolean;
  isGenerate: boolean;
  isUp: boolean;
  /** `file:line` in the module, relative to `root`. */
  place?: string;
}

export interface ArgumentInfo {
  name: string;
  description: string;
  deprecated?: string;
  type: TypeRef;
  optional: boolean;
  /** `| null`: omitted, it arrives as null and not as undefined. */
  nullable: boolean;
  variadic: boolean;
  /** JSON value. */
  defaultValue?: unknown;
  /** The project's default, which the code does not know: it has to be given. */
  isProjectDefault?: true;
  defaultPath?: string;
  defaultAddress?: string;
  ignore?: string[];
  /** A `Workspace`: the caller's own, which is filled in; nobody types it. */
  engineFills?: true;
}

/** A type in a signature. */
export type TypeRef =
  | { kind: "string" | "integer" | "float" | "boolean" | "void" }
  | { kind: "scalar" | "enum" | "object" | "interface"; name: string }
  /** `PortForward` and `BuildArg`, arguments of the core API only. */
  | { kind: "input"; name: string }
  | { kind: "list"; of: TypeRef };

/** A host tree or file that a function reads, resolved from `defaultPath` and `ignore`. */
export interface FunctionInput {
  argument: string;
  kind: "directory" | "file";
  /** Absolute host path. */
  path: string;
  ignore: string[];
}

/** The JSON value a function returned: scalars as themselves, core objects as `{ $id, $type }`, own objects as `{ $object, fields }`. */
export type ReturnedValue =
  | null
  | string
  | number
  | boolean
  | ReturnedValue[]
  | { $id: string; $type: string }
  | { $object: string; fields: Record<string, ReturnedValue> };
