/** Reads and substitutes variables of a compose file and the `.env` beside it. */

export type Variables = Record<string, string>;

/** Parses `NAME=VALUE` lines as compose and dotenv do: comments, `export`, quotes. */
export function readEnvironment(text: string): Variables {
  const variables: Variables = {};
  for (const given of text.split("\n")) {
    const line = given
      .trim()
      .replace(/^export\s/, "")
      .trimStart();
    const at = line.search(/[=:]/);
    const name = line.slice(0, Math.max(0, at)).trimEnd();
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) continue;
    const value = line.slice(at + 1).trimStart();
    const quote = value[0] === '"' || value[0] === "'" ? value[0] : undefined;
    const end = quote === undefined ? -1 : value.indexOf(quote, 1);
    const comment = value.startsWith("#") ? 0 : value.search(/\s#/);
    variables[name] = end > 0 ? value.slice(1, end) : (comment < 0 ? value : value.slice(0, comment)).trimEnd();
  }
  return variables;
}

/** A default value may itself contain a reference, one level deep. */
const reference =
  /\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])((?:[^{}]|\$\{[^{}]*\})*))?\}|([A-Za-z_][A-Za-z0-9_]*))/g;

/**
 * Returns the document with `$NAME`, `${NAME}`, `${NAME:-DEFAULT}` and the like replaced. Adds names without a value to
 * `unset`.
 */
export function interpolated(value: unknown, variables: Variables, unset: Set<string>): unknown {
  if (typeof value === "string") return inText(value, variables, unset);
  if (Array.isArray(value)) return value.map((each) => interpolated(each, variables, unset));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, interpolated(each, variables, unset)]));
}

function inText(text: string, variables: Variables, unset: Set<string>): string {
  return text.replaceAll(reference, (all, braced?: string, operator?: string, word = "", plain?: string) => {
    const name = braced ?? plain;
    if (name === undefined) return all === "$$" ? "$" : all;
    const known = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const isThere = known !== undefined && (known !== "" || operator?.startsWith(":") !== true);
    if (operator?.endsWith("+") === true) return isThere ? inText(word, variables, unset) : "";
    if (isThere) return known;
    if (operator?.endsWith("-") === true) return inText(word, variables, unset);
    unset.add(name);
    return known ?? "";
  });
}
