/** Finds what can follow a call, and words the errors for anything else. */
import { suggest } from "../../config/index.ts";
import { UserError } from "../../errors/index.ts";
import {
  cliName,
  coreSchema,
  kebabCase,
  type FunctionInfo,
  type ModuleInfo,
  type TypeRef,
} from "../../module/index.ts";
import { isSupported } from "./parse-value.ts";
import { commandName, flagName, isRequired } from "./signature.ts";

/** What can be called next: functions and fields by their names on the command line. */
export interface Choices {
  /** `Everything2Go`, `Container`. */
  typeName: string;
  functions: Map<string, FunctionInfo>;
  /** Command name -> name in the object's state, and type. */
  fields: Map<string, { name: string; description: string; type: TypeRef }>;
  isCore: boolean;
}

/** Modules never change after loading, so a thousand calls of one share its choices. */
const known = new WeakMap<ModuleInfo, Map<string, Choices | undefined>>();

/** Returns what can follow a value of this type; undefined for scalars. */
export function choicesOf(type: TypeRef, module: ModuleInfo): Choices | undefined {
  if (type.kind === "list") return choicesOf(type.of, module);
  if (type.kind !== "object" && type.kind !== "interface") return undefined;
  const ofModule = known.get(module) ?? new Map<string, Choices | undefined>();
  known.set(module, ofModule);
  const key = `${type.kind} ${type.name}`;
  if (!ofModule.has(key)) ofModule.set(key, choicesOfObject(type.kind, type.name, module));
  return ofModule.get(key);
}

function choicesOfObject(kind: "object" | "interface", name: string, module: ModuleInfo): Choices | undefined {
  const object = kind === "object" ? module.objects[name] : undefined;
  const own = object ?? (kind === "interface" ? module.interfaces[name] : undefined);
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
  const core = coreSchema().type(name);
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

/** Returns the error for a word that is not a known function. */
export function unknownFunction(word: string, choices: Choices, module: ModuleInfo): UserError {
  const names = [...choices.functions.keys(), ...choices.fields.keys()];
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
  const near = suggest(kebabCase(word), names);
  return new UserError("usage", `${choices.typeName} has no function "${word}"`, {
    hint: near === undefined ? listHint(names) : `did you mean ${near}?`,
  });
}

/** Returns the error for a flag that neither the function nor `call` has. */
export function unknownFlag(name: string, fn: FunctionInfo | undefined, ownNames: readonly string[]): UserError {
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
