/**
 * The grammar of `dagger call`:
 *
 *   call [--constructor-flag v]... FUNCTION [--flag v]... [FUNCTION [--flag v]...]...
 *
 * Words are resolved through the module's signatures and, from the first core object on, through the core API.
 */
import { UserError } from "../../errors/index.ts";
import { kebabCase, type ArgumentInfo, type FunctionInfo, type TypeRef } from "../../module/index.ts";
import { choicesOf, unknownFlag, unknownFunction } from "./choices.ts";
import { notDaggers, ownFlags, shortFlags } from "./own-flags.ts";
import { isOption, missingValue, parseValues, type ValueContext } from "./parse-value.ts";
import { commandName, flagName, isRequired } from "./signature.ts";
import type { CoreStep, GivenArgument, OwnStep, ParsedCall } from "../types.ts";

/** What a call may contain besides the module's own functions and arguments. */
export interface CallGrammar {
  /** Whether `call`'s own options (`-o`, `--json`, `--help`) are allowed; a target's call has none. */
  ownOptions: boolean;
}

/** Parses the words of a call. Throws a `UserError` of kind `usage`, with the wrong word as its place. */
export function parseCall(
  words: readonly string[],
  context: ValueContext,
  grammar: CallGrammar = { ownOptions: true },
): ParsedCall {
  return new CallParser(words, context, grammar).parse();
}

/** Returns the functions of a call as written, e.g. `build container`; empty if it names none. */
export function callName({ own, toolchain }: Pick<ParsedCall, "own" | "toolchain">): string {
  const names = own.flatMap((step) => (step.kind === "function" && step.fn.name !== "" ? [commandName(step.fn)] : []));
  return [...(toolchain === undefined ? [] : [toolchain.name]), ...names].join(" ");
}

class CallParser {
  private readonly words: readonly string[];
  private context: ValueContext;
  private readonly ownFlags: typeof ownFlags;
  private at = 0;
  /** Last step of the chain so far, for errors. */
  private lastStep = "";
  /** Indexes of words that only fastloop understands. */
  private readonly ours = new Set<number>();
  private readonly call: ParsedCall;

  constructor(words: readonly string[], context: ValueContext, { ownOptions }: CallGrammar) {
    this.words = words;
    this.ownFlags = ownOptions ? ownFlags : {};
    this.context = context;
    const returns: TypeRef = { kind: "object", name: context.module.mainObject };
    this.call = {
      own: [],
      core: [],
      returns,
      json: false,
      noCache: false,
      offline: false,
      verbose: false,
      silent: false,
      via: "host",
      help: false,
      words: [],
    };
  }

  parse(): ParsedCall {
    this.begin();
    while (this.at < this.words.length) this.step(this.words[this.at++] ?? "");
    if (!this.call.help) this.checkRequired();
    this.call.words = this.words.filter((_word, index) => !this.ours.has(index));
    return this.call;
  }

  /** Starts at the main object, with its constructor's flags. */
  private begin(): void {
    const { module } = this.context;
    const main = module.objects[module.mainObject];
    const constructor = constructorOf(module.mainObject, main?.constructorArguments ?? []);
    const given = this.flags(constructor);
    if (main?.constructorArguments !== undefined) {
      this.call.own.push({ kind: "function", object: module.mainObject, fn: constructor, given });
    }
  }

  /** Enters a toolchain; its functions do not involve the module's own constructor. */
  private enterToolchain(name: string): boolean {
    const isStart = this.call.own.every((step) => step.kind === "function" && step.fn.name === "");
    const found = isStart && this.call.toolchain === undefined ? this.context.module.toolchains : [];
    const toolchain = found.find((each) => each.name === name);
    if (toolchain === undefined) return false;
    this.call.toolchain = toolchain;
    this.call.own = [];
    this.call.returns = { kind: "object", name: toolchain.module.mainObject };
    this.context = { ...this.context, module: toolchain.module };
    this.begin();
    return true;
  }

  private step(word: string): void {
    const choices = choicesOf(this.call.returns, this.context.module);
    if (choices === undefined) {
      const before = this.words[this.at - 2] ?? "";
      const hint = before.startsWith("--") && /^(?:true|false)$/.test(word) ? `write ${before}=${word}` : undefined;
      throw new UserError("usage", `nothing can follow "${this.lastStep}": it gives a ${this.call.returns.kind}`, {
        place: word,
        hint,
      });
    }
    const name = kebabCase(word);
    this.lastStep = name;
    const field = choices.fields.get(name);
    const fn = choices.functions.get(name);
    if (field !== undefined) {
      this.call.own.push({ kind: "field", name: field.name });
      this.call.returns = field.type;
      this.flags(undefined);
    } else if (fn === undefined) {
      if (this.enterToolchain(name)) return;
      throw unknownFunction(word, choices, this.context.module);
    } else if (choices.isCore) {
      this.call.core.push({ kind: "core", type: choices.typeName, fn, given: this.flags(fn) });
      this.call.returns = fn.returns;
    } else {
      this.call.own.push({ kind: "function", object: choices.typeName, fn, given: this.flags(fn) });
      this.call.returns = fn.returns;
    }
  }

  /** Parses flags up to the next word without a dash. */
  private flags(fn: FunctionInfo | undefined): GivenArgument[] {
    const texts = new Map<ArgumentInfo, string[]>();
    for (; this.at < this.words.length;) {
      const word = this.words[this.at] ?? "";
      if (!word.startsWith("-") || word === "-") break;
      this.at++;
      if (word === "--") break;
      if (word.startsWith("--")) this.longFlag(word.slice(2), fn, texts);
      else this.shortFlag(word.slice(1), fn);
    }
    return [...texts].map(([argument, given]) => ({ argument, value: parseValues(argument, given, this.context) }));
  }

  private longFlag(text: string, fn: FunctionInfo | undefined, texts: Map<ArgumentInfo, string[]>): void {
    const equals = text.indexOf("=");
    // `--dockerConfig` also means `--docker-config`, because users type what they read in the code.
    const name = kebabCase(equals < 0 ? text : text.slice(0, equals));
    const attached = equals < 0 ? undefined : text.slice(equals + 1);
    const argument = fn?.arguments.find((candidate) => flagName(candidate) === name);
    if (argument !== undefined) {
      const isSwitch = argument.type.kind === "boolean";
      const value = attached ?? (isSwitch ? "true" : this.value(`--${name}`));
      texts.set(argument, [...(texts.get(argument) ?? []), value]);
      return;
    }
    const own = this.ownFlags[name];
    if (own === undefined) throw unknownFlag(name, fn, Object.keys(this.ownFlags));
    if (name === "module" && this.lastStep !== "") {
      throw new UserError("usage", `"${this.lastStep}" has no argument --module`, {
        place: "--module",
        hint: "name the module before its functions, or with -m",
      });
    }
    const first = this.at - 1;
    own.apply(this.call, own.takesValue ? (attached ?? this.ownValue(`--${name}`)) : "");
    if (notDaggers.has(name)) this.markOurs(first);
  }

  private markOurs(first: number): void {
    for (let index = first; index < this.at; index++) this.ours.add(index);
  }

  /** Parses `-o FILE`, `-oFILE`, `-jv`. */
  private shortFlag(letters: string, fn: FunctionInfo | undefined): void {
    for (let index = 0; index < letters.length; index++) {
      const letter = letters[index] ?? "";
      const own = this.ownFlags[shortFlags[letter] ?? ""];
      if (own === undefined) {
        const argument = fn?.arguments.find((candidate) => [letter, letters].includes(flagName(candidate)));
        const hint = argument === undefined ? undefined : `arguments have two dashes: --${flagName(argument)}`;
        throw new UserError("usage", `unknown option -${letter}`, { place: `-${letters}`, hint });
      }
      if (!own.takesValue) {
        own.apply(this.call, "");
        continue;
      }
      const rest = letters.slice(index + 1).replace(/^=/, "");
      const first = this.at - 1;
      own.apply(this.call, rest === "" ? this.ownValue(`-${letter}`) : rest);
      if (index === 0 && notDaggers.has(shortFlags[letter] ?? "")) this.markOurs(first);
      return;
    }
  }

  private value(flag: string): string {
    const value = this.words[this.at++];
    if (value === undefined) throw new UserError("usage", "a value is missing", { place: flag });
    return value;
  }

  /** A function's argument may have the value `--verbose`; after `-o` or `--via` it means that the value is missing. */
  private ownValue(flag: string): string {
    const value = this.value(flag);
    if (isOption(value)) throw missingValue(flag, value);
    return value;
  }

  private checkRequired(): void {
    const steps = [...this.call.own.filter((step) => step.kind === "function"), ...this.call.core];
    for (const step of steps) {
      const missing = missingArguments(step);
      if (missing.length === 0) continue;
      const flags = missing.map((argument) => `--${flagName(argument)}`).join(", ");
      throw new UserError("usage", `${flags} ${missing.length === 1 ? "is" : "are"} missing`, {
        place: step.fn.name === "" ? step.fn.returns.kind : commandName(step.fn),
        hint: `fastloop call ${[callName(this.call), ...this.call.core.map(({ fn }) => commandName(fn))].filter((word) => word !== "").join(" ")} --help`,
      });
    }
  }
}

function missingArguments(step: OwnStep | CoreStep): ArgumentInfo[] {
  return step.fn.arguments.filter(
    (argument) => isRequired(argument) && !step.given.some((given) => given.argument === argument),
  );
}

/** Returns the constructor as a function without a name, which is how the engine calls it. */
function constructorOf(object: string, args: ArgumentInfo[]): FunctionInfo {
  const returns: TypeRef = { kind: "object", name: object };
  return { name: "", description: "", arguments: args, returns, isCheck: false, isGenerate: false, isUp: false };
}
