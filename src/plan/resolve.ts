import path from "node:path";
import {
  callName,
  markedFunctions,
  parseCall,
  splitWords,
  valueOf,
  type GivenValue,
  type MarkedFunction,
  type ParsedCall,
} from "../call/index.ts";
import { durationMs, type LoadedConfig, type TierName, type WatchTarget } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import { withDependencies, type ArgumentInfo, type ModuleInfo } from "../module/index.ts";
import { filesPrintedTo } from "../paths/index.ts";
import { literalPattern, sharingReads } from "../tree/index.ts";
import { namedInputs } from "./inputs/named-inputs.ts";
import type { Ask } from "../trust/index.ts";
import { realIfPresent } from "./inputs/scanned-input.ts";
import { stateFolder, type TargetInput } from "./inputs/target-input.ts";
import { resourcesOf, type CheckKinds, type Target } from "./targets.ts";
import type { WorkspaceReads } from "./workspace-reads.ts";

/** A target with its call resolved against the module. */
export interface ResolvedTarget {
  target: Target;
  call: ParsedCall;
  /** Inputs that are hashed. */
  inputs: TargetInput[];
  /**
   * Inputs that the call sends to the engine: the same trees, unless `inputs` or `watch.ignore` changes what is hashed.
   */
  sent: TargetInput[];
  /** Asks without the user's consent; a target with any is refused, and none of its inputs is scanned. */
  untrusted: readonly Ask[];
}

/** Returns all targets in order of declaration: those of fastloop.yaml, else the module's `@check` functions. */
export function resolveTargets(
  config: LoadedConfig,
  module: ModuleInfo,
  reads?: WorkspaceReads,
  kinds?: CheckKinds,
): ResolvedTarget[] {
  return sharingReads(() =>
    declaredTargets(config, module, kinds).map((target) => resolveTarget(target, config, module, reads)),
  );
}

/** Does the same without parsing the calls. Throws a `UserError` if there are no targets. */
export function declaredTargets(config: LoadedConfig, module: ModuleInfo, kinds: CheckKinds = "functions"): Target[] {
  const declared = config.config.watch?.targets;
  const targets =
    declared === undefined
      ? checksOf(module, kinds)
      : Object.entries(declared).map(([name, target]) => targetOf(name, target, config));
  if (targets.length === 0) {
    throw new UserError("config", "there is nothing to watch or run", {
      place: config.path ?? config.root,
      hint: "name calls under watch.targets in fastloop.yaml, or mark functions of the module with @check()",
    });
  }
  return targets;
}

function checksOf(module: ModuleInfo, kinds: CheckKinds): Target[] {
  return checkFunctions(module, kinds).map(({ name, words, fn, module: of, isGenerator }) => ({
    name,
    call: isGenerator ? [...words, "is-empty"] : words,
    ...(isGenerator ? { isGenerator: true as const } : {}),
    needs: [],
    environment: [],
    policy: "restart",
    tier: tierOf(words),
    retries: 0,
    uses: resourcesOf({ containers: 1 }),
    place: fn.place ?? of.root,
  }));
}

/** Returns functions marked @check, then generators; one that is both counts as a check. */
export function checkFunctions(module: ModuleInfo, kinds: CheckKinds): (MarkedFunction & { isGenerator: boolean })[] {
  const checks = kinds === "generators" ? [] : markedFunctions(module, "isCheck");
  const generators = kinds === "functions" ? [] : markedFunctions(module, "isGenerate");
  return [
    ...checks.map((check) => ({ ...check, isGenerator: false })),
    ...generators
      .filter(({ fn }) => kinds === "generators" || !fn.isCheck)
      .filter(({ fn: { returns } }) => returns.kind === "object" && returns.name === "Changeset")
      .map((generator) => ({ ...generator, isGenerator: true })),
  ];
}

function targetOf(name: string, declared: WatchTarget, config: LoadedConfig): Target {
  const place = `${path.basename(config.path ?? config.root)}: watch.targets.${name}`;
  const call = splitWords(declared.call);
  if (call === undefined) throw new UserError("config", "a quote in this call is not closed", { place });
  return {
    name,
    call,
    needs: declared.needs ?? [],
    inputs: declared.inputs,
    environment: declared.environment ?? [],
    policy: declared.policy ?? "restart",
    timeoutMs: declared.timeout === undefined ? undefined : durationMs(declared.timeout),
    debounceMs: declared.debounce === undefined ? undefined : durationMs(declared.debounce),
    tier: declared.tier ?? tierOf(call),
    retries: declared.retries ?? 0,
    uses: resourcesOf({ containers: 1, ...declared.uses }),
    place,
  };
}

/** Returns the tier that a call passes to the module; without one the target counts as thorough. */
function tierOf(call: readonly string[]): TierName {
  const flag = call.findIndex((word) => word === "--tier" || word.startsWith("--tier="));
  const value = call[flag] === "--tier" ? call[flag + 1] : call[flag]?.slice("--tier=".length);
  return tiers.find((tier) => tier === value) ?? "full";
}

/** From quick to thorough; each tier includes the ones before it. */
const tiers: readonly TierName[] = ["smoke", "fast", "full"];

/** Reports whether `run --tier` includes the target. */
export function isInTier(target: Target, tier: TierName): boolean {
  return tiers.indexOf(target.tier) <= tiers.indexOf(tier);
}

/**
 * Resolves one target against the module's signatures. Throws a `UserError` with its place if the module cannot answer
 * the call.
 */
export function resolveTarget(
  target: Target,
  config: LoadedConfig,
  module: ModuleInfo,
  reads?: WorkspaceReads,
): ResolvedTarget {
  const call = parseTarget(target, config, module);
  const ignored = config.config.watch?.ignore ?? [];
  const sent = inputsOfCall(call, module, reads);
  if (target.inputs === undefined) {
    // Files that are private to the user are neither scanned nor sent, so that no result depends on them.
    const own = sent.map(withoutHabits);
    const inputs = own.map((input) => without(input, [...ignored, ...printedTo(input.path)]));
    return { target, call, inputs, sent: own, untrusted: [] };
  }
  const files = sent.filter((input) => input.kind === "file" && input.read === undefined);
  const named = namedInputs(target.inputs, config.root, [...ignored, ...printedTo(config.root)]);
  return { target, call, sent, inputs: [...named, ...files], untrusted: [] };
}

/** Parses a call by the grammar of `fastloop call`. Throws a `UserError` with the wrong word as its place. */
export function parseTargetCall(
  { call }: Pick<Target, "call">,
  config: Pick<LoadedConfig, "root">,
  module: ModuleInfo,
): ParsedCall {
  const parsed = parseCall(call, { module, cwd: config.root }, { ownOptions: false });
  if (callName(parsed) === "") throw new UserError("usage", "this call names no function");
  if (parsed.core.some(({ fn }) => fn.name === "terminal")) {
    throw new UserError("usage", "a watched call has no terminal attached", {
      place: "terminal",
      hint: "open it with `fastloop call`",
    });
  }
  return parsed;
}

/** Does the same with errors at the target's place. */
function parseTarget(target: Target, config: LoadedConfig, module: ModuleInfo): ParsedCall {
  try {
    return parseTargetCall(target, config, module);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { place, hint, message } = error;
    throw new UserError("config", place === undefined ? message : `${place}: ${message}`, {
      place: target.place,
      hint,
      cause: error,
    });
  }
}

/**
 * Returns what a call sends to the engine: what it is given, what its functions read by `defaultPath`, and what they
 * read of their workspace last time.
 */
export function inputsOfCall(call: ParsedCall, module: ModuleInfo, reads?: WorkspaceReads): TargetInput[] {
  const given = givenToCall(call, module);
  return reads === undefined ? given : [...given, ...reads.inputsOf(reads.of(call, given))];
}

function givenToCall(call: ParsedCall, of: ModuleInfo): TargetInput[] {
  const module = call.toolchain?.module ?? of;
  const own = call.own
    .filter((step) => step.kind === "function")
    .flatMap(({ fn, given }) =>
      fn.arguments.flatMap((argument) => hostInputs(argument, valueOf(argument, given, module, fn.place))),
    );
  const core = call.core.flatMap(({ given }) => given.flatMap(({ argument, value }) => hostInputs(argument, value)));
  return [...own, ...core, ...dependencyInputs(module)];
}

/**
 * Returns what functions of dependencies read by `defaultPath`. Nobody knows which of them a body will call, so
 * everything that they could read counts.
 */
function dependencyInputs(module: ModuleInfo): TargetInput[] {
  const [, ...dependencies] = withDependencies(module);
  return dependencies.flatMap((dependency) =>
    Object.values(dependency.objects)
      .flatMap(({ functions, constructorArguments = [], place }) => [
        { arguments: constructorArguments, place },
        ...Object.values(functions),
      ])
      .flatMap((fn) =>
        fn.arguments.flatMap((argument) => hostInputs(argument, valueOf(argument, [], dependency, fn.place))),
      ),
  );
}

function hostInputs(argument: ArgumentInfo, value: GivenValue | undefined): TargetInput[] {
  if (value?.kind === "list") return value.items.flatMap((item) => hostInputs(argument, item));
  if (value?.kind === "file")
    return [{ of: argument, argument: argument.name, kind: "file", path: value.path, filter: {} }];
  if (value?.kind !== "directory") return [];
  return [
    {
      of: argument,
      argument: argument.name,
      kind: "directory",
      path: value.path,
      filter: { exclude: [...(argument.ignore ?? []), stateFolder] },
    },
  ];
}

/**
 * Returns files in a folder that receive this command's own output, e.g. `> run.log`, as no result may depend on them.
 */
function printedTo(folder: string): string[] {
  const files = filesPrintedTo();
  if (files.length === 0) return [];
  const start = `${realIfPresent(folder)}/`;
  return files.flatMap((file) => (file.startsWith(start) ? [literalPattern(file.slice(start.length))] : []));
}

/** Leaves out files that are private to the user: swap files, global excludes. */
function withoutHabits(input: TargetInput): TargetInput {
  return input.kind === "file" ? input : { ...input, filter: { ...input.filter, leaveOut: "personal" } };
}

/** Leaves out what `watch.ignore` names; it is sent, but the user says that it affects nothing. */
function without(input: TargetInput, patterns: readonly string[]): TargetInput {
  if (input.kind === "file" || patterns.length === 0) return input;
  return { ...input, filter: { ...input.filter, exclude: [...(input.filter.exclude ?? []), ...patterns] } };
}
