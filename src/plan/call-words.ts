import path from "node:path";
import { UserError } from "../errors/index.ts";
import { kebabCase, type ArgumentInfo, type FunctionInfo, type ModuleInfo, type ObjectInfo } from "../module/index.ts";
import type { Target } from "./targets.ts";

/** A target's call as far as planning needs it: which functions of the module, and which host paths they are given. */
export interface TargetCall {
  words: string[];
  /** `test`, or `build container` for a chain inside the module. */
  name: string;
  /** The constructor (when it has arguments) and each function of the module on the way, in order. */
  steps: CallStep[];
  /** What follows on a core object (`stdout`, `file --path x contents`), as written. */
  coreWords: string[];
}

export interface CallStep {
  fn: FunctionInfo;
  /** The object that it is a function of. */
  object: string;
  /** Values as written, by the argument's name in code; a list may be given piece by piece. */
  values: Map<string, string[]>;
  /** Host paths given to `Directory` and `File` arguments, absolute; by the argument's name. */
  paths: Map<string, string>;
}

/** Splits as a shell would: quotes and backslashes, no expansion. Undefined where a quote is not closed. */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let end = 0;
  const pattern = /\s*((?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+)/gsy;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    end = pattern.lastIndex;
    words.push(
      match[1]!.replace(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_all, escaped?: string, double?: string, single?: string) => {
        return escaped ?? (double === undefined ? single! : double.replace(/\\(["\\$`])/g, "$1"));
      }),
    );
  }
  return text.slice(end).trim() === "" ? words : undefined;
}

/** Follows the words through the module's signatures; a name that it does not have is the target's error. */
export function parseTargetCall(target: Target, module: ModuleInfo, root: string): TargetCall {
  const main = module.objects[module.mainObject];
  const steps: CallStep[] = [];
  const names: string[] = [];
  const coreWords: string[] = [];
  let object: ObjectInfo | undefined = main;
  if ((main?.constructorArguments?.length ?? 0) > 0) {
    steps.push({ fn: constructorOf(main!), object: main!.name, values: new Map(), paths: new Map() });
  }
  for (let index = 0; index < target.call.length; index++) {
    const word = target.call[index]!;
    const step = steps.at(-1);
    if (coreWords.length > 0 || (object === undefined && !word.startsWith("--"))) {
      coreWords.push(word);
      continue;
    }
    if (word.startsWith("--")) {
      const [flag, attached] = splitFlag(word);
      const argument = step?.fn.arguments.find((candidate) => kebabCase(candidate.name) === flag);
      if (argument === undefined) throw unknownFlag(target, step?.fn, flag);
      const isSwitch = argument.type.kind === "boolean" && attached === undefined;
      const value = attached ?? (isSwitch ? "true" : target.call[++index]);
      if (value === undefined) throw new UserError("config", `--${flag} has no value`, { place: target.place });
      step!.values.set(argument.name, [...(step!.values.get(argument.name) ?? []), value]);
      if (isHostPath(argument, value)) step!.paths.set(argument.name, path.resolve(root, value));
    } else if (object !== undefined) {
      const fn = findFunction(object, word);
      if (fn === undefined && isField(object, word)) {
        object = undefined;
        coreWords.push(word);
      } else {
        if (fn === undefined) throw unknownFunction(target, object, word);
        steps.push({ fn, object: object.name, values: new Map(), paths: new Map() });
        names.push(word);
        object = fn.returns.kind === "object" ? module.objects[fn.returns.name] : undefined;
      }
    }
  }
  if (names.length === 0) throw new UserError("config", "this call names no function", { place: target.place });
  refuseChain(target, names.at(-1)!, steps.at(-1)!.fn, coreWords);
  return { words: target.call, name: names.join(" "), steps, coreWords };
}

/** What may follow the functions: one field of the object that they give, without arguments. */
function refuseChain(target: Target, name: string, { returns }: FunctionInfo, coreWords: readonly string[]): void {
  if (coreWords.length === 0) return;
  if (returns.kind !== "object" && returns.kind !== "list") {
    throw new UserError("config", `"${coreWords.join(" ")}": nothing can follow "${name}": it gives a ${returns.kind}`, { place: target.place });
  }
  if (coreWords.length > 1 || coreWords[0]!.startsWith("-")) {
    throw new UserError("config", `"${coreWords.join(" ")}": a watched call ends in one plain field of a core object`, {
      place: target.place,
      hint: "move the rest of the chain into a function of the module",
    });
  }
}

function splitFlag(word: string): [string, string | undefined] {
  const equals = word.indexOf("=");
  return equals < 0 ? [word.slice(2), undefined] : [word.slice(2, equals), word.slice(equals + 1)];
}

function isHostPath(argument: ArgumentInfo, value: string): boolean {
  const { type } = argument;
  return type.kind === "object" && (type.name === "Directory" || type.name === "File") && !/^[a-z+]+:\/\/|^git@/.test(value);
}

function constructorOf(main: ObjectInfo): FunctionInfo {
  return {
    name: "constructor",
    description: "",
    arguments: main.constructorArguments ?? [],
    returns: { kind: "object", name: main.name },
    isCheck: false,
    isGenerate: false,
    isUp: false,
  };
}

function findFunction(object: ObjectInfo, word: string): FunctionInfo | undefined {
  return Object.values(object.functions).find((fn) => kebabCase(fn.alias ?? fn.name) === word);
}

function isField(object: ObjectInfo, word: string): boolean {
  return Object.values(object.fields).some((field) => kebabCase(field.alias ?? field.name) === word);
}

function unknownFunction(target: Target, object: ObjectInfo, word: string): UserError {
  const known = Object.values(object.functions).map((fn) => kebabCase(fn.alias ?? fn.name));
  return new UserError("config", `the module has no function "${word}"`, {
    place: target.place,
    hint: known.length === 0 ? "the module has no functions" : `it has ${known.join(", ")}`,
  });
}

function unknownFlag(target: Target, fn: FunctionInfo | undefined, flag: string): UserError {
  if (fn === undefined) return new UserError("config", `the module takes no argument --${flag}`, { place: target.place });
  const known = fn.arguments.map((argument) => `--${kebabCase(argument.name)}`);
  return new UserError("config", `"${kebabCase(fn.name)}" has no argument --${flag}`, {
    place: target.place,
    hint: known.length === 0 ? "it takes no arguments" : `it has ${known.join(", ")}`,
  });
}
