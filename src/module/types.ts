/**
 * A Dagger TypeScript module as read from its sources, without an engine. Serializable as JSON, for the cache on disk.
 */
export interface ModuleInfo {
  /** `name` of dagger.json. */
  name: string;
  /** Real path of dagger.json's folder. */
  root: string;
  /** Absolute folder whose `src/` holds the code (`source` of dagger.json). */
  sourceDir: string;
  /** Nearest parent with `.git`, else `root`; the module's packages must lie in it. */
  repository: string;
  /** Base of `defaultPath: "/x"`: the repository. */
  contextDir: string;
  /** Base of `defaultPath: "x"` if that is not `root`: the folder that uses the module as a toolchain or blueprint. */
  contextRoot?: string;
  /** For a blueprint: its name in the project that uses it, and that project's own name, if it has one. */
  usedAs?: { name: string; project?: string };
  /** fastloop's own module working on another project: `contextDir` is that project, which no engine can know. */
  borrowed?: boolean;
  engineVersion: string;
  /** The module has no code: its functions are those of its toolchains. */
  isCodeless?: true;
  /** Modules that it depends on directly. */
  dependencies: Dependency[];
  /** Modules whose functions are listed beside its own, as in `eslint:lint`. */
  toolchains: Toolchain[];
  /** SHA-256 over dagger.json and every module source file (path, mode, content). */
  ownDigest: string;
  /** `ownDigest`, and `name@ownDigest` of each direct or indirect dependency; part of each function's digest. */
  digest: string;
  /** Name of the main object (PascalCase of the module's name). */
  mainObject: string;
  objects: Record<string, ObjectInfo>;
  enums: Record<string, EnumInfo>;
  interfaces: Record<string, InterfaceInfo>;
  /** The comment at the top of the main object's file. */
  description: string;
  /** Warnings of the scan, e.g. about a default value that only exists at run time. */
  warnings: string[];
  /** Host ports that lead to services, as declared in dagger.toml; services are named `module:function`. */
  ports?: { host: number; service: string; port: number }[];
  /** `file:line` of each source line that contains `insecureRootCapabilities`. */
  insecurePlaces: string[];
}

/** A dependency of a module: loaded, or the reason why its functions cannot be called here. */
export type Dependency = {
  /** Name in code, as in `dag.name()`. */
  name: string;
} & ({ module: ModuleInfo } | { refused: string });

export interface Toolchain {
  /** Name on the command line. */
  name: string;
  /** The module in the project's place, with the project's defaults. */
  module: ModuleInfo;
  /** Patterns of checks that the project leaves out; the fields below do the same for generators and services. */
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
  /** Keyed by member name, as used in GraphQL and on the command line. */
  members: Record<string, { name: string; value: string; description: string; deprecated?: string }>;
}

export interface ObjectInfo {
  name: string;
  description: string;
  /** `class` has methods; a type alias only has fields. */
  kind: "class" | "object";
  constructorArguments?: ArgumentInfo[];
  /** Keyed by the name in code (camelCase); `alias`, if set, is the name on the command line. */
  functions: Record<string, FunctionInfo>;
  fields: Record<string, FieldInfo>;
  /** Functions of base classes, which the engine does not see: name in code, base class and `file:line`. */
  inherited?: { name: string; from: string; place: string }[];
  /**
   * Text of `@deprecated`; empty if the tag has none. The same holds for functions, fields, arguments and enum members.
   */
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
  /** Name in code; `cliName` converts it to the name on the command line. */
  name: string;
  alias?: string;
  description: string;
  deprecated?: string;
  /** In declaration order. */
  arguments: ArgumentInfo[];
  returns: TypeRef;
  /** `never`, `session`, a Go duration such as `1h`, or undefined for the default of 7 days. */
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
  /** Declared with `| null`: if omitted, the function receives null instead of undefined. */
  nullable: boolean;
  variadic: boolean;
  /** JSON value. */
  defaultValue?: unknown;
  /** The default comes from the project and is not in the code, so it has to be passed. */
  isProjectDefault?: true;
  defaultPath?: string;
  defaultAddress?: string;
  ignore?: string[];
  /** A `Workspace`: filled in with the caller's own, so nobody types it. */
  engineFills?: true;
}

/** A type in a signature. */
export type TypeRef =
  | { kind: "string" | "integer" | "float" | "boolean" | "void" }
  | { kind: "scalar" | "enum" | "object" | "interface"; name: string }
  /** `PortForward` and `BuildArg`, which only arguments of the core API have. */
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

/**
 * JSON value that a function returned: scalars as they are, core objects as `{ $id, $type }`, the module's own objects
 * as `{ $object, fields }`.
 */
export type ReturnedValue =
  | null
  | string
  | number
  | boolean
  | ReturnedValue[]
  | { $id: string; $type: string }
  | { $object: string; fields: Record<string, ReturnedValue> };
