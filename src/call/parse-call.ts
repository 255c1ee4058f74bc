/**
 * The grammar of `dagger call`:
 *
 *   call [--constructor-flag v]... FUNCTION [--flag v]... [FUNCTION [--flag v]...]...
 *
 * Words are followed through the module's signatures and, from the first core object on, through the core API.
 */
import { suggest } from "../config/index.ts";
import { UserError } from "../errors/index.ts";
import {
  cliName,
  coreSchema,
  kebabCase,
  type ArgumentInfo,
  type FunctionInfo,
  type ModuleInfo,
  type TypeRef,
} from "../module/index.ts";
import { isOption, missingValue, isSupported, parseValues, type ValueContext } from "./parse-value.ts";
import { commandName, flagName, isRequired } from "./signature.ts";
import type { CoreStep, GivenArgument, OwnStep, ParsedCall } from "./types.ts";

/** What can be called next: functions and fields by their names on the command line. */
export interface Choices {
  /** `Everything2Go`, `Container`. */
  typeName: string;
  functions: Map<string, FunctionInfo>;
  /** Command name -> name in the object's state and type. */
  fields: Map<string, { name: string; description: string; type: TypeRef }>;
  isCore: boolean;
}

/** Flags of `call` itself; a function's argument of the same name comes first. */
const ownFlags: Record<string, { takesValue: boolean; apply(call: ParsedCall, value: string): void }> = {
  output: { takesValue: true, apply: (call, value) => void (call.output = value) },
  json: { takesValue: false, apply: (call) => void (call.json = true) },
  help: { takesValue: false, apply: (call) => void (call.help = true) },
  "no-cache": { takesValue: false, apply: (call) => void (call.noCache = true) },
  verbose: { takesValue: false, apply: (call) => void (call.verbose = true) },
  silent: { takesValue: false, apply: (call) => void (call.silent = true) },
  trust: { takesValue: false, apply: (call) => void (call.trust = true) },
  "no-trust": { takesValue: false, apply: (call) => void (call.trust = false) },
  via: { takesValue: true, apply: (call, value) => void (call.via = viaOf(value)) },
  engine: { takesValue: true, apply: (call, value) => void (call.engine = value) },
  "buildkit-host": { takesValue: true, apply: (call, value) => void (call.buildkitHost = value) },
  // Read before parsing (`moduleOption`), or of no use here and accepted for the sake of scripts written for `dagger call`.
  module: { takesValue: true, apply: () => {} },
  progress: { takesValue: true, apply: () => {} },
  quiet: { takesValue: false, apply: () => {} },
  "no-color": { takesValue: false, apply: () => {} },
};

/** What `dagger call` does not know, or is told by us. */
const notDaggers = new Set(["via", "engine", "buildkit-host", "no-cache", "no-color", "module", "trust", "no-trust"]);

const shortFlags: Record<string, string> = {
  o: "output",
  j: "json",
  h: "help",
  v: "verbose",
  s: "silent",
  m: "module",
  q: "quiet",
};

/** What a call may say besides the module's own functions and arguments. */
export interface CallGrammar {
  /** Whether `call`'s own options (`-o`, `--json`, `--help`) may stand among the words; a watched call has none. */
  ownOptions: boolean;
}

/** Throws a `UserError` of kind `usage` whose place is the word that is wrong. */
export function parseCall(
  words: readonly string[],
  context: ValueContext,
  grammar: CallGrammar = { ownOptions: true },
): ParsedCall {
  return new CallParser(words, context, grammar).parse();
}

/** The functions on the way, as they are written: `build container`; empty where the call names none. */
export function callName({ own }: Pick<ParsedCall, "own">): string {
  return own
    .flatMap((step) => (step.kind === "function" && step.fn.name !== "" ? [commandName(step.fn)] : []))
    .join(" ");
}

/**
 * The module that the words name: it decides how all others are read, so it is looked for before. `-m` may stand anywhere;
 * `--module` behind a function is an argument of that function.
 */
export function moduleOption(words: readonly string[]): string | undefined {
  let beforeFunctions = true;
  for (const [index, word] of words.entries()) {
    if (word === "-m" || (beforeFunctions && word === "--module")) return words[index + 1];
    if (/^-m./.test(word)) return word.slice(2).replace(/^=/, "");
    if (beforeFunctions && word.startsWith("--module=")) return word.slice("--module=".length);
    const previous = words[index - 1] ?? "";
    const isValue = previous.startsWith("-") && !previous.includes("=");
    if (!word.startsWith("-") && !isValue) beforeFunctions = false;
  }
  return undefined;
}

/** What the chain so far offers next; undefined at a scalar. */
export function choicesOf(type: TypeRef, module: ModuleInfo): Choices | undefined {
  if (type.kind === "list") return choicesOf(type.of, module);
  if (type.kind !== "object" && type.kind !== "interface") return undefined;
  const object = type.kind === "object" ? module.objects[type.name] : undefined;
  const own = object ?? (type.kind === "interface" ? module.interfaces[type.name] : undefined);
  if (own !== undefined) {
    const fields = Object.values(object?.fields ?? {}).filter((field) => field.exposed);
    return {
      typeName: own.name,
      functions: new Map(Object.values(own.functions).map((fn) => [commandName(fn), fn])),
      fields: new Map(
        fields.map((field) => {
          return [
            commandName(field),
            { name: field.alias ?? field.name, description: field.description, type: field.type },
          ];
        }),
      ),
      isCore: false,
    };
  }
  const core = coreSchema().type(type.name);
  if (core === undefined) return undefined;
  const functions = Object.values(core.fields).filter((fn) =>
    fn.arguments.every((argument) => !isRequired(argument) || isSupported(argument.type, module)),
  );
  return {
    typeName: core.name,
    functions: new Map(functions.map((fn) => [commandName(fn), fn])),
    fields: new Map(),
    isCore: true,
  };
}

class CallParser {
  private readonly words: readonly string[];
  private readonly context: ValueContext;
  private readonly ownFlags: typeof ownFlags;
  private at = 0;
  /** What the chain ends in so far, for errors. */
  private lastStep = "";
  /** Indexes of words that are fastloop's alone. */
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
      verbose: false,
      silent: false,
      via: "host",
      help: false,
      words: [],
    };
  }

  parse(): ParsedCall {
    const { module } = this.context;
    const main = module.objects[module.mainObject];
    const constructor = constructorOf(module.mainObject, main?.constructorArguments ?? []);
    const given = this.flags(constructor);
    if (main?.constructorArguments !== undefined) {
      this.call.own.push({ kind: "function", object: module.mainObject, fn: constructor, given });
    }
    while (this.at < this.words.length) this.step(this.words[this.at++] ?? "");
    if (!this.call.help) {
      this.checkRequired();
      this.checkEngineFilled();
    }
    this.call.words = this.words.filter((_word, index) => !this.ours.has(index));
    return this.call;
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
      throw unknownFunction(word, choices, this.context.module);
    } else if (choices.isCore) {
      this.call.core.push({ kind: "core", type: choices.typeName, fn, given: this.flags(fn) });
      this.call.returns = fn.returns;
    } else {
      this.call.own.push({ kind: "function", object: choices.typeName, fn, given: this.flags(fn) });
      this.call.returns = fn.returns;
    }
  }

  /** Flags up to the next word without a dash. */
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
    // `--dockerConfig` is `--docker-config`: users type what they read in the code.
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
        hint: "the module is named before its functions, or with -m",
      });
    }
    const first = this.at - 1;
    own.apply(this.call, own.takesValue ? (attached ?? this.ownValue(`--${name}`)) : "");
    if (notDaggers.has(name)) this.markOurs(first);
  }

  private markOurs(first: number): void {
    for (let index = first; index < this.at; index++) this.ours.add(index);
  }

  /** `-o FILE`, `-oFILE`, `-jv`. */
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

  /** A function may well be given `--verbose`; for `-o` or `--via` that is a value forgotten. */
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

  /** A body beside the CLI is given by us what an engine would fill in by itself; what we have not is said before anything runs. */
  private checkEngineFilled(): void {
    if (this.call.via !== "host") return;
    for (const step of this.call.own) {
      const argument =
        step.kind === "function"
          ? step.fn.arguments.find((candidate) => candidate.engineFills === true && !candidate.optional)
          : undefined;
      if (step.kind !== "function" || argument === undefined) continue;
      throw new UserError(
        "engine-unsupported",
        `"${commandName(step.fn)}" takes a Workspace, which only a Dagger engine fills in`,
        {
          place: `--${flagName(argument)}`,
          hint: "with such an engine add --via module; a Directory with a defaultPath is filled in everywhere",
        },
      );
    }
  }
}

function missingArguments(step: OwnStep | CoreStep): ArgumentInfo[] {
  return step.fn.arguments.filter(
    (argument) => isRequired(argument) && !step.given.some((given) => given.argument === argument),
  );
}

function viaOf(text: string): ParsedCall["via"] {
  if (text === "host" || text === "module" || text === "call") return text;
  throw new UserError("usage", `host, module or call was expected, not "${text}"`, { place: "--via" });
}

/** The constructor as a function without a name, as the engine calls it. */
function constructorOf(object: string, args: ArgumentInfo[]): FunctionInfo {
  const returns: TypeRef = { kind: "object", name: object };
  return { name: "", description: "", arguments: args, returns, isCheck: false, isGenerate: false, isUp: false };
}

function unknownFunction(word: string, choices: Choices, module: ModuleInfo): UserError {
  const known = [...choices.functions.keys(), ...choices.fields.keys()];
  const inherited = module.objects[choices.typeName]?.inherited?.find(({ name }) => cliName(name) === kebabCase(word));
  if (inherited !== undefined) {
    return new UserError(
      "usage",
      `${choices.typeName} has no function "${word}": it is inherited from ${inherited.from}, and an engine sees only what a class declares itself`,
      {
        place: inherited.place,
        hint: `declare it in ${choices.typeName} with @func(), and call super.${inherited.name} there`,
      },
    );
  }
  const near = suggest(kebabCase(word), known);
  return new UserError("usage", `${choices.typeName} has no function "${word}"`, {
    hint: near === undefined ? listHint(known) : `did you mean ${near}?`,
  });
}

function unknownFlag(name: string, fn: FunctionInfo | undefined, ownNames: readonly string[]): UserError {
  const known = (fn?.arguments ?? []).map(flagName);
  const near = suggest(name, [...known, ...ownNames]);
  const owner = fn === undefined || fn.name === "" ? "the module" : `"${commandName(fn)}"`;
  return new UserError("usage", `${owner} has no argument --${name}`, {
    hint: near === undefined ? listHint(known.map((flag) => `--${flag}`)) : `did you mean --${near}?`,
  });
}

function listHint(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : `it has ${names.slice(0, 30).join(", ")}`;
}
