/** What is wrong with the watched calls of a configuration: all of it, each at its place in the file. */
import { loadConfig, placeInConfig, readConfigFile } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import { loadProjectModule } from "../call/index.ts";
import {
  adviceOf,
  declaredTargets,
  parseTargetCall,
  resolveTarget,
  resolveTargets,
  type Target,
} from "../plan/index.ts";
import type { CliContext } from "./context.ts";

export interface CallProblem {
  /** In the configuration; undefined for a function that the module itself declares. */
  line?: number;
  column?: number;
  /** Where there is no line: the module's `file:line`. */
  place: string;
  message: string;
  hint?: string;
}

/** Reads the module and follows every call through its signatures: functions, arguments, values and what follows. */
export async function callProblems(context: CliContext, file: string): Promise<CallProblem[]> {
  const config = await loadConfig({ cwd: context.cwd, file });
  const module = await loadProjectModule({
    cwd: context.cwd,
    moduleDir: context.options.module,
    config,
    environment: context.env,
  });
  const text = readConfigFile(file);
  const check = (target: Target): void => {
    // First, for its errors name the word that is wrong.
    parseTargetCall(target, config, module);
    resolveTarget(target, config, module);
  };
  const found = declaredTargets(config, module).flatMap((target) =>
    problemsOf(target, check).map((error) => ({ target, error })),
  );
  return Promise.all(
    found.map(async ({ target, error }): Promise<CallProblem> => {
      const { hint, place } = error;
      const message = place === undefined || place === target.place ? error.message : `${place}: ${error.message}`;
      if (config.config.watch?.targets?.[target.name] === undefined) return { place: target.place, message, hint };
      const at = await placeInConfig(text, ["watch", "targets", target.name, "call"], wordOf(error));
      return { ...at, place: target.place, message: `watch.targets.${target.name}: ${message}`, hint };
    }),
  );
}

/** What is allowed in the watched calls of a configuration, but hardly what was meant; at its place in the file. */
export async function callAdvice(context: CliContext, file: string): Promise<CallProblem[]> {
  const config = await loadConfig({ cwd: context.cwd, file });
  const module = await loadProjectModule({
    cwd: context.cwd,
    moduleDir: context.options.module,
    configFile: file,
    environment: context.env,
  });
  const text = readConfigFile(file);
  const found = resolveTargets(config, module).flatMap((item) =>
    adviceOf(item, config.root, config.config.watch?.ignore ?? []).map((advice) => ({
      ...advice,
      place: item.target.place,
    })),
  );
  return Promise.all(
    found.map(async ({ target, entry, text: message, place }): Promise<CallProblem> => {
      if (config.config.watch?.targets?.[target] === undefined) return { place, message };
      return {
        ...(await placeInConfig(text, ["watch", "targets", target, entry === undefined ? "call" : "inputs"], entry)),
        place,
        message,
      };
    }),
  );
}

/** The first problem of a call; where that is an argument that the function does not have, also those after it. */
export function problemsOf(target: Target, check: (target: Target) => void): UserError[] {
  const problems: UserError[] = [];
  for (let call = target.call; ;) {
    try {
      check({ ...target, call });
      return problems;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const flag = unknownFlag(error);
      // Without the argument that was written wrongly, another one may seem to be missing: that is no second problem.
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

/** Leaves out the flag and, unless it is attached or another flag follows, the word after it as its value. */
function withoutFlag(call: readonly string[], flag: string): string[] {
  const at = call.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (at < 0) return [...call];
  const hasValue = call[at] === flag && call[at + 1]?.startsWith("-") === false;
  return call.filter((_word, index) => index !== at && !(hasValue && index === at + 1));
}

/** The word of the call that an error is about. */
function wordOf(error: UserError): string | undefined {
  const named = /\bno function "(.+)"$/.exec(error.message);
  return unknownFlag(error) ?? named?.[1] ?? error.place;
}
