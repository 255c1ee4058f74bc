/** Collects what a call asks of the host beyond the repository: through its values, its defaults, and its last step. */
import path from "node:path";
import { isGitsFile, isInside, isWithin, realPath } from "../paths/index.ts";
import { commandName, valueOf, type CoreStep, type GivenValue, type OwnStep, type ParsedCall } from "../call/index.ts";
import { realPathOnce } from "../tree/index.ts";
import { kebabCase, type ArgumentInfo, type FunctionInfo, type ModuleInfo } from "../module/index.ts";
import { commandWithContent } from "./command-content.ts";
import { repositoryOf } from "./places.ts";
import type { Ask } from "./types.ts";

export interface AskContext {
  module: ModuleInfo;
  /** Base of the call's relative paths. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Author of the call's words: what the user types is allowed as it is, but what the module adds is not. */
  writtenBy: "repository" | "user";
}

export function asksOfCall(
  { own, core, toolchain }: Pick<ParsedCall, "own" | "core" | "toolchain">,
  of: AskContext,
): Ask[] {
  const context = { ...of, module: toolchain?.module ?? of.module };
  const steps = own.filter((step) => step.kind === "function");
  const asks = steps.flatMap((step) => asksOfStep(step, context));
  return context.writtenBy === "user" ? asks : [...asks, ...core.flatMap((step) => asksOfCoreStep(step, context))];
}

/** Returns what every function of a module asks for by itself, whoever calls it. */
export function asksOfModule(module: ModuleInfo, env: NodeJS.ProcessEnv): Ask[] {
  const context: AskContext = { module, cwd: homeOf(module), env, writtenBy: "user" };
  const functions = Object.values(module.objects).flatMap(
    ({ name, functions: methods, constructorArguments = [] }): FunctionInfo[] => [
      {
        name: "",
        description: "",
        arguments: constructorArguments,
        returns: { kind: "object", name },
        isCheck: false,
        isGenerate: false,
        isUp: false,
      },
      ...Object.values(methods),
    ],
  );
  const rootCapabilities = module.insecurePlaces.map((place): Ask => ({
    kind: "root-capabilities",
    what: "",
    by: `module ${module.name}`,
    place,
  }));
  return [...functions.flatMap((fn) => asksOfStep({ fn, given: [] }, context)), ...rootCapabilities.slice(0, 1)];
}

function asksOfStep({ fn, given }: Pick<OwnStep, "fn" | "given">, context: AskContext): Ask[] {
  const { module, env, writtenBy } = context;
  return fn.arguments.flatMap((argument) => {
    const isGiven = given.some((candidate) => candidate.argument === argument);
    if (isGiven && writtenBy === "user") return [];
    const value = defaultOrGiven(argument, { fn, given }, module);
    if (value === undefined) return [];
    const asks = asksOfValue(value, byOf(fn, argument), isGiven ? context : { ...context, cwd: homeOf(module) }, env);
    return isGiven ? asks : asks.map((ask) => ({ ...ask, place: fn.place }));
  });
}

/** Returns the base of a module's defaults; for fastloop's own module it is the project that uses it. */
const homeOf = ({ borrowed, contextDir, root }: ModuleInfo): string => (borrowed === true ? contextDir : root);

/** An invalid `defaultPath` is reported when the function is called. */
function defaultOrGiven(
  argument: ArgumentInfo,
  { fn, given }: Pick<OwnStep, "fn" | "given">,
  module: ModuleInfo,
): GivenValue | undefined {
  try {
    return valueOf(argument, given, module, fn.place);
  } catch {
    return undefined;
  }
}

const byOf = (fn: FunctionInfo, argument: ArgumentInfo): string =>
  `${fn.name === "" ? "the module" : commandName(fn)} --${kebabCase(argument.name)}`;

function asksOfValue(value: GivenValue, by: string, { cwd }: Pick<AskContext, "cwd">, env: NodeJS.ProcessEnv): Ask[] {
  switch (value.kind) {
    case "list":
      return value.items.flatMap((item) => asksOfValue(item, by, { cwd }, env));
    case "directory":
    case "file":
      return reads(value.path, by, cwd, env);
    case "secret":
      if (value.scheme === "env") return [{ kind: "variable", what: value.rest, by }];
      if (value.scheme === "cmd") return [{ kind: "command", what: commandWithContent(value.rest, cwd, env), by }];
      return reads(path.resolve(cwd, value.rest.replace(/^~(?=\/)/, env["HOME"] ?? "~")), by, cwd, env);
    case "socket":
      return [{ kind: "socket", what: realPath(value.path), by }];
    case "service":
      return [{ kind: "service", what: `${value.protocol.toLowerCase()}://${value.host}:${value.port}`, by }];
    default:
      return [];
  }
}

function reads(file: string, by: string, cwd: string, env: NodeJS.ProcessEnv): Ask[] {
  const { path: found, exists } = realPathOnce(file);
  const real = exists ? found : realPath(file);
  return isWithin(repositoryOf(cwd, env), real) ? [] : [{ kind: "read", what: real, by }];
}

/** Fields that bodies may not use either, as they act with the rights of the session's client. */
const clientFields = new Set(["asEnvFile", "asModule", "asModuleSource", "serve", "asUp", "asUpGroup", "services"]);

function asksOfCoreStep({ fn, given }: CoreStep, context: AskContext): Ask[] {
  const { cwd, env } = context;
  const by = commandName(fn);
  const literal = (name: string): string => {
    const value = given.find(({ argument }) => argument.name === name)?.value;
    return value?.kind === "literal" ? String(value.value) : "";
  };
  const asks = given.flatMap(({ argument, value }) => asksOfValue(value, byOf(fn, argument), context, env));
  if (literal("insecureRootCapabilities") === "true") asks.push({ kind: "root-capabilities", what: "", by });
  if (fn.name === "export")
    asks.push(...writes(path.resolve(cwd, literal("path")), { isWiped: literal("wipe") === "true" }, by, cwd, env));
  if (fn.name === "exportImage") asks.push({ kind: "runtime", what: literal("name"), by });
  if (fn.name === "publish") asks.push({ kind: "publish", what: literal("address"), by });
  if (fn.name === "up")
    asks.push({
      kind: "ports",
      what: given.flatMap(({ value }) => portsOf(value)).join(", ") || "those of the service",
      by,
    });
  if (clientFields.has(fn.name)) asks.push({ kind: "client", what: fn.name, by });
  return asks;
}

/**
 * The repository may write its own files, except those from which git and its hooks run programs. Wiping a folder that
 * contains these counts as writing them.
 */
function writes(
  file: string,
  { isWiped }: { isWiped: boolean },
  by: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Ask[] {
  const repository = repositoryOf(cwd, env);
  const real = realPath(file);
  const isInGit = isGitsFile(path.relative(repository, real));
  const own = isInside(repository, real) && !isInGit && !(isWiped && isInside(real, repository));
  return own ? [] : [{ kind: "write", what: real, by }];
}

function portsOf(value: GivenValue): string[] {
  if (value.kind === "list") return value.items.flatMap(portsOf);
  return value.kind === "input" ? [`${value.fields["frontend"]}:${value.fields["backend"]}`] : [];
}
