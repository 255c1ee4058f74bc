/** Checks the calls of a configuration's targets: reports all errors, and what was probably not meant. */
import type { LoadedConfig } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import type { ModuleInfo } from "../module/index.ts";
import {
  adviceOf,
  declaredTargets,
  parseTargetCall,
  resolveTarget,
  type ResolvedTarget,
  type Target,
} from "../plan/index.ts";
import type { Found } from "./finding.ts";

/** Resolves every call through the module's signatures: functions, arguments, values and what follows. */
export function checkCalls(config: LoadedConfig, module: ModuleInfo): { problems: Found[]; targets: ResolvedTarget[] } {
  const targets: ResolvedTarget[] = [];
  const problems = declaredTargets(config, module).flatMap((target) => {
    let resolved: ResolvedTarget | undefined;
    const errors = problemsOf(target, (tried) => {
      try {
        resolved = resolveTarget(tried, config, module);
      } catch (error) {
        // The parser's own error names the wrong word.
        parseTargetCall(tried, config, module);
        throw error;
      }
    });
    if (errors.length === 0 && resolved !== undefined) targets.push(resolved);
    return errors.map((error) => asFound(error, target, config));
  });
  return { problems, targets };
}

function asFound(error: UserError, target: Target, config: LoadedConfig): Found {
  const { hint, place } = error;
  const code =
    unknownFlag(error) !== undefined
      ? "unknown-argument"
      : unknownFunction(error) !== undefined
        ? "unknown-function"
        : "wrong-call";
  const text = place === undefined || place === target.place ? error.message : `${place}: ${error.message}`;
  const given = { code, ...(hint === undefined ? {} : { hint }) } as const;
  if (!isDeclared(config, target.name)) return { ...given, place: target.place, message: text };
  const word = wordOf(error);
  return {
    ...given,
    path: ["watch", "targets", target.name, "call"],
    ...(word === undefined ? {} : { word }),
    message: `watch.targets.${target.name}: ${text}`,
  };
}

const isDeclared = ({ config }: LoadedConfig, name: string): boolean => config.watch?.targets?.[name] !== undefined;

/** Warns about inputs of a call that are allowed but were probably not meant. */
export function inputAdvice(targets: readonly ResolvedTarget[], config: LoadedConfig): Found[] {
  const ignored = config.config.watch?.ignore ?? [];
  return targets.flatMap((item) =>
    adviceOf(item, config.root, ignored).map(({ code, target, entry, text }): Found => {
      if (!isDeclared(config, target)) return { code, place: item.target.place, message: text };
      const path = ["watch", "targets", target, entry === undefined ? "call" : "inputs"];
      return { code, path, message: text, ...(entry === undefined ? {} : { word: entry }) };
    }),
  );
}

/** Returns the first problem of a call; if that is an unknown argument, also the problems after it. */
export function problemsOf(target: Target, check: (target: Target) => void): UserError[] {
  const problems: UserError[] = [];
  for (let call = target.call; ;) {
    try {
      check({ ...target, call });
      return problems;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const flag = unknownFlag(error);
      // With the misspelled argument removed, another may seem to be missing, which is no second problem.
      if (problems.length === 0 || flag !== undefined) problems.push(error);
      const shorter = flag === undefined ? call : withoutFlag(call, flag);
      if (shorter.length === call.length) return problems;
      call = shorter;
    }
  }
}

function unknownFlag({ message }: UserError): string | undefined {
  return /\bno argument (--[\w-]+)$/.exec(message)?.[1];
}

/** Removes the flag and its value: the next word, unless the value is attached or another flag follows. */
function withoutFlag(call: readonly string[], flag: string): string[] {
  const at = call.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (at < 0) return [...call];
  const hasValue = call[at] === flag && call[at + 1]?.startsWith("-") === false;
  return call.filter((_word, index) => index !== at && !(hasValue && index === at + 1));
}

/** Returns the word of the call that an error is about. */
function wordOf(error: UserError): string | undefined {
  return unknownFlag(error) ?? unknownFunction(error) ?? error.place;
}

const unknownFunction = ({ message }: UserError): string | undefined => /\bno function "(.+)"$/.exec(message)?.[1];
