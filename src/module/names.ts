/**
 * Names as Dagger writes them. The engine converts a name in code to one in GraphQL, and `dagger call` converts that
 * one to kebab-case: `URLPath` is `urlpath` in both, `myURL` is `myUrl` and `my-url`, `x1` is `x1` and `x-1`. The rules
 * are those of iancoleman/strcase 0.3, which both use, restricted to ASCII: other characters are dropped.
 */

/**
 * Acronyms that the engine declares. strcase applies them to whole names only: `JSON` is `jSON`, `JSONData` is
 * `jsondata`.
 */
const acronyms = new Set(["JSON", "LLM"]);

/**
 * Returns a function's, argument's or field's name in the engine's schema; empty if the name has no letter or digit.
 */
export function fieldName(name: string): string {
  const field = camel(name, false);
  // The engine keeps the spelling of functions that load an object from its id.
  return /^load.*FromID$/s.test(name) ? field.replace(/FromId$/, "FromID") : field;
}

/** Returns an object's, interface's or enum's name in the engine's schema, without the module's name in front of it. */
export function typeName(name: string): string {
  return camel(name, true);
}

/**
 * Returns an object's name as the engine serves it: `Person` of the module `conform` -> `ConformPerson`, as other
 * modules may have a `Person` too. `alias` is the dependent module's name for the module.
 */
export function servedName(name: string, moduleName: string, alias = moduleName): string {
  const [object, prefix] = [typeName(name), typeName(moduleName)];
  const rest = object.startsWith(prefix) ? object.slice(prefix.length) : undefined;
  if (rest === "") return typeName(alias);
  return typeName(rest !== undefined && /^[A-Z]/.test(rest) ? alias + rest : `${alias}_${object}`);
}

/** Returns the `dagger call` name of a function, argument or field with this name in code. */
export const cliName = remembering((name) => kebabCase(fieldName(name)));

/** Converts `VeryHigh` to `VERY_HIGH`; a member already in GraphQL's convention (`HTTP2`) stays. */
export function memberName(name: string): string {
  return /^[A-Z][A-Z0-9_]*$/.test(name) ? name : delimited(name, "_").replace(/[a-z]+/g, (word) => word.toUpperCase());
}

/** Converts any spelling that a user may type to `build-base`, as `dagger call` does with its flags. */
export const kebabCase = remembering((name) => delimited(name, "-").replace(/[A-Z]+/g, (word) => word.toLowerCase()));

/** Caches results, as each of a thousand calls converts the names of its function and of all its arguments. */
function remembering(make: (name: string) => string): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    let made = known.get(name);
    if (made === undefined) {
      if (known.size > mostRemembered) known.clear();
      known.set(name, (made = make(name)));
    }
    return made;
  };
}

const mostRemembered = 10_000;

function camel(name: string, startsCapital: boolean): string {
  const text = name.trim();
  const isAcronym = acronyms.has(text);
  let result = "";
  let capitalNext = startsCapital;
  let previous: Kind = "other";
  for (const [index, character] of Array.from(text).entries()) {
    const kind = kindOf(character);
    if (kind === "capital" || kind === "small") {
      // In a run of capitals only the first one stays a capital.
      const small = !capitalNext && (index === 0 || (previous === "capital" && !isAcronym));
      result += capitalNext ? character.toUpperCase() : small ? character.toLowerCase() : character;
      capitalNext = false;
    } else if (kind === "digit") {
      result += character;
      capitalNext = true;
    } else {
      capitalNext = /[_ .-]/.test(character);
    }
    previous = kind;
  }
  return result;
}

/** Inserts delimiters between words; a run of capitals is one word, and so is a run of digits. */
function delimited(name: string, delimiter: string): string {
  let result = "";
  const text = name.trim();
  for (let index = 0; index < text.length; index++) {
    const [previous, here, next] = [kindOf(text[index - 1]), kindOf(text[index]), kindOf(text[index + 1])];
    const character = text[index] ?? "";
    const changes =
      (here === "capital" && (next === "small" || next === "digit")) ||
      (here === "small" && (next === "capital" || next === "digit")) ||
      (here === "digit" && (next === "capital" || next === "small"));
    if (!changes) {
      result += /[ _.-]/.test(character) ? delimiter : character;
      continue;
    }
    if (here === "capital" && next === "small" && previous === "capital") result += delimiter;
    result += character;
    if (here !== "capital" || next === "digit") result += delimiter;
  }
  return result;
}

type Kind = "capital" | "small" | "digit" | "other";

function kindOf(character: string | undefined): Kind {
  if (character === undefined) return "other";
  if (/[A-Z]/.test(character)) return "capital";
  if (/[a-z]/.test(character)) return "small";
  return /[0-9]/.test(character) ? "digit" : "other";
}

/** Splits as the SDK's introspector does, so that both agree on which class is the main object. */
export function pascalCase(name: string): string {
  return name
    .split(/(?=[A-Z0-9])|[^a-zA-Z0-9]|(?<=[a-zA-Z])(?=\d)|(?<=\d)(?=[a-zA-Z])/g)
    .filter((word) => word !== "")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())
    .join("");
}

export function camelCase(name: string): string {
  const pascal = pascalCase(name);
  return pascal.charAt(0).toLowerCase() + pascal.slice(1);
}
