import path from "node:path";
import { durationMs, type LoadedConfig, type TierName, type WatchTarget } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import { argumentInput, kebabCase, type FunctionInfo, type ModuleInfo } from "../module/index.ts";
import { isGitignored, type TreeFilter } from "../tree/index.ts";
import { parseTargetCall, splitWords, type TargetCall } from "./call-words.ts";
import { resourcesOf } from "./resources.ts";
import type { Target } from "./targets.ts";

/** A tree or file that decides whether a target is current. */
export interface TargetInput {
  /** The argument that reads it, or `inputs` where fastloop.yaml names the files itself. */
  argument: string;
  kind: "directory" | "file";
  /** Absolute. */
  path: string;
  filter: TreeFilter;
}

/** A target and what its call means for this module. */
export interface ResolvedTarget {
  target: Target;
  call: TargetCall;
  /** What is hashed. */
  inputs: TargetInput[];
  /** What the call sends to the engine: the same trees, unless `inputs` narrowed or widened what is hashed. */
  sent: TargetInput[];
}

/** State of ours; it changes with every run and is never anyone's input. */
const stateFolder = "**/.fastloop";

/** All targets in the order of their declaration: those of fastloop.yaml, else the module's `@check` functions. */
export function resolveTargets(config: LoadedConfig, module: ModuleInfo): ResolvedTarget[] {
  return declaredTargets(config, module).map((target) => resolveTarget(target, config, module));
}

/** As `resolveTargets`, before their calls are read. */
export function declaredTargets(config: LoadedConfig, module: ModuleInfo): Target[] {
  const declared = config.config.watch?.targets;
  const targets =
    declared === undefined
      ? checksOf(module)
      : Object.entries(declared).map(([name, target]) => targetOf(name, target, config));
  if (targets.length === 0) {
    throw new UserError("config", "there is nothing to watch or run", {
      place: config.path ?? config.root,
      hint: "name calls under watch.targets in fastloop.yaml, or mark functions of the module with @check()",
    });
  }
  return targets;
}

function checksOf(module: ModuleInfo): Target[] {
  const functions = Object.values(module.objects[module.mainObject]?.functions ?? {});
  return functions.filter((fn) => fn.isCheck).map((fn) => {
    const name = kebabCase(fn.alias ?? fn.name);
    const call = [name];
    return { name, call, needs: [], environment: [], policy: "restart", tier: tierOf(call), retries: 0, uses: resourcesOf({ containers: 1 }), place: fn.place ?? module.root };
  });
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

/** The tier that a call asks the module for is its own; without one it is taken for a thorough one. */
function tierOf(call: readonly string[]): TierName {
  const flag = call.findIndex((word) => word === "--tier" || word.startsWith("--tier="));
  const value = call[flag] === "--tier" ? call[flag + 1] : call[flag]?.slice("--tier=".length);
  return tiers.find((tier) => tier === value) ?? "full";
}

/** From quick to thorough: each has the ones before it in it. */
const tiers: readonly TierName[] = ["smoke", "fast", "full"];

/** Whether `run --tier` takes the target. */
export function isInTier(target: Target, tier: TierName): boolean {
  return tiers.indexOf(target.tier) <= tiers.indexOf(tier);
}

/** One target against the module's signatures; a call that the module cannot answer is an error with its place. */
export function resolveTarget(target: Target, config: LoadedConfig, module: ModuleInfo): ResolvedTarget {
  const call = parseTargetCall(target, module, config.root);
  const ignored = config.config.watch?.ignore ?? [];
  const sent = call.steps.flatMap(({ fn, paths }) => inputsOf(fn, paths, module));
  const hashed = sent.map((input) => withoutPatterns(input, ignored));
  if (target.inputs === undefined) return { target, call, inputs: hashed, sent };
  const files = hashed.filter((input) => input.kind === "file");
  return { target, call, sent, inputs: [...namedInputs(target.inputs, config.root, ignored), ...files] };
}

/** Explicit paths first, `defaultPath` for what the call leaves out. */
function inputsOf(fn: FunctionInfo, paths: ReadonlyMap<string, string>, module: ModuleInfo): TargetInput[] {
  return fn.arguments.flatMap((argument): TargetInput[] => {
    const explicit = paths.get(argument.name);
    const filter = { exclude: [...(argument.ignore ?? []), stateFolder] };
    if (explicit !== undefined) {
      const kind = argument.type.kind === "object" && argument.type.name === "File" ? "file" : "directory";
      return [{ argument: argument.name, kind, path: explicit, filter: kind === "file" ? {} : filter }];
    }
    const input = argumentInput(module, argument, fn.place);
    if (input === undefined) return [];
    return [{ argument: argument.name, kind: input.kind, path: input.path, filter: input.kind === "file" ? {} : filter }];
  });
}

function withoutPatterns(input: TargetInput, patterns: readonly string[]): TargetInput {
  if (input.kind === "file" || patterns.length === 0) return input;
  return { ...input, filter: { ...input.filter, exclude: [...(input.filter.exclude ?? []), ...patterns] } };
}

/**
 * The files that `inputs` names. What git ignores stays out, so that `lib/` does not mean what is installed in it,
 * unless a pattern names something ignored itself.
 */
function namedInputs(patterns: readonly string[], root: string, ignored: readonly string[]): TargetInput[] {
  const exclude = ["**/.git", "**/node_modules", stateFolder, ...ignored];
  const inputs: TargetInput[] = [
    { argument: "inputs", kind: "directory", path: root, filter: { include: patterns, exclude, gitignore: true } },
  ];
  const named = patterns.filter((pattern) => !/[!*?[\\]/.test(pattern) && isGitignored(root, pattern));
  if (named.length > 0) {
    inputs.push({ argument: "inputs", kind: "directory", path: root, filter: { include: named, exclude: [stateFolder] } });
  }
  return inputs;
}
