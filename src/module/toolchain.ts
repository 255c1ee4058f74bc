/**
 * Modules that a project uses without code of its own: toolchains, whose functions are listed beside the project's, and
 * a blueprint, whose functions become the project's. As in an engine, their `defaultPath` reads the project's files.
 */
import { createHash } from "node:crypto";
import { UserError } from "../errors/index.ts";
import type { Customization } from "./manifest/manifest-check.ts";
import type { ManifestDependency } from "./manifest/manifest.ts";
import { cliName, fieldName } from "./names.ts";
import type { ArgumentInfo, ModuleInfo, Toolchain } from "./types.ts";

/** The project that uses the module. */
interface Place {
  root: string;
  repository: string;
}

/**
 * Returns the module as a toolchain of the project, with the project's customizations applied. Throws a `UserError` for
 * a customization without a matching argument.
 */
export async function toolchainOf(module: ModuleInfo, written: ManifestDependency, place: Place): Promise<Toolchain> {
  const {
    customizations = [],
    ignoreChecks = [],
    ignoreGenerators = [],
    ignoreServices = [],
  } = written.toolchain ?? {};
  const objects = structuredClone(module.objects);
  const warnings: string[] = [];
  for (const customization of customizations) {
    const argument = argumentOf({ ...module, objects }, customization);
    if (argument === undefined)
      throw new UserError("module", `${written.name} has no argument ${nameOf(customization)} to customize`, {
        place: await written.place(),
      });
    const warning = customize(argument, customization, await written.place());
    if (warning !== undefined) warnings.push(warning);
  }
  const hash = createHash("sha256").update(JSON.stringify(customizations)).digest("hex");
  return {
    name: cliName(written.name),
    ignoreChecks,
    ignoreGenerators,
    ignoreServices,
    module: {
      ...module,
      objects,
      warnings: [...module.warnings, ...warnings],
      contextDir: place.repository,
      contextRoot: place.root,
      digest: [...module.digest.split(" "), `configuration@${hash}`].join(" "),
    },
  };
}

/** Returns the blueprint with its own code but in the project's place. */
export function inPlaceOf(
  module: ModuleInfo,
  blueprint: ModuleInfo,
  usedAs: NonNullable<ModuleInfo["usedAs"]>,
): ModuleInfo {
  const [, ...below] = module.digest.split(" ");
  return {
    ...blueprint,
    usedAs,
    contextDir: module.contextDir,
    contextRoot: module.root,
    toolchains: module.toolchains,
    ...(module.ports === undefined ? {} : { ports: module.ports }),
    warnings: [...blueprint.warnings, ...module.warnings],
    digest: [...blueprint.digest.split(" "), `${module.name}@${module.ownDigest}`, ...below].join(" "),
  };
}

/**
 * Finds the customized argument. A customization names its function by a chain from the main object; the engine only
 * supports chains of one.
 */
function argumentOf(
  { objects, mainObject }: Pick<ModuleInfo, "objects" | "mainObject">,
  { function: chain = [], argument }: Customization,
): ArgumentInfo | undefined {
  let object = objects[mainObject];
  let signature = object?.constructorArguments;
  for (const name of chain) {
    const fn = Object.values(object?.functions ?? {}).find(
      (candidate) => cliName(candidate.alias ?? candidate.name) === cliName(name),
    );
    signature = fn?.arguments;
    object = fn?.returns.kind === "object" ? objects[fn.returns.name] : undefined;
  }
  return signature?.find(({ name }) => fieldName(name) === fieldName(argument));
}

/** Applies a customization; returns a warning if it cannot be applied. */
export function customize(argument: ArgumentInfo, given: Customization, place: string): string | undefined {
  if (given.setting !== undefined) return set(argument, given.setting, place);
  if (given.defaultPath !== undefined) argument.defaultPath = given.defaultPath;
  if (given.defaultAddress !== undefined) argument.defaultAddress = given.defaultAddress;
  if (given.ignore !== undefined) argument.ignore = given.ignore;
  if (given.default === undefined) return undefined;
  argument.defaultValue = valueOf(given.default, argument, place);
  argument.isProjectDefault = true;
  return undefined;
}

/** Applies a setting of dagger.toml: the location of a directory, file or image, else the value itself. */
function set(argument: ArgumentInfo, setting: unknown, place: string): string | undefined {
  const { name, type } = argument;
  if (type.kind === "object" || type.kind === "interface") {
    const isPlace = typeof setting === "string" && !setting.includes("://");
    if (isPlace && (type.name === "Directory" || type.name === "File")) argument.defaultPath = setting;
    else if (isPlace && type.name === "Container") argument.defaultAddress = setting;
    else return `the setting ${name} is left out: a ${type.name} is given when the function is called`;
    return undefined;
  }
  argument.defaultValue = valueOf(typeof setting === "string" ? setting : JSON.stringify(setting), argument, place);
  argument.isProjectDefault = true;
  return undefined;
}

/**
 * Parses a default: strings, scalars and enums are taken as they are, anything else as JSON. Throws a `UserError` on a
 * mismatch.
 */
function valueOf(text: string, { name, type }: ArgumentInfo, place: string): unknown {
  if (type.kind === "string" || type.kind === "scalar" || type.kind === "enum") return text;
  const types: Partial<Record<typeof type.kind, (value: unknown) => boolean>> = {
    integer: Number.isInteger,
    float: Number.isFinite,
    boolean: (value) => typeof value === "boolean",
    list: Array.isArray,
  };
  try {
    const value: unknown = JSON.parse(text);
    if (types[type.kind]?.(value) === true) return value;
  } catch {
    // The error is thrown below.
  }
  throw new UserError("module", `the default ${JSON.stringify(text)} of ${name} is not a value of its type`, { place });
}

const nameOf = ({ function: chain = [], argument }: Customization): string => [...chain, argument].join(".");
