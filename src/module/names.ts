/** Names as Dagger writes them: kebab-case on the command line, SCREAMING_SNAKE for enum members on the wire. */

/** `buildBase` -> `build-base`, `with2Images` -> `with-2-images`; as `dagger call` names functions and flags. */
export function kebabCase(name: string): string {
  return delimited(name, "-").toLowerCase();
}

/** `linuxAmd64` -> `LINUX_AMD_64`; as an engine names the members of a module's enum. */
export function screamingSnakeCase(name: string): string {
  return delimited(name, "_").toUpperCase();
}

/** The rules of iancoleman/strcase 0.3, which Dagger uses: a run of capitals is one word, and so is a run of digits. */
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

function kindOf(character: string | undefined): "capital" | "small" | "digit" | "other" {
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
