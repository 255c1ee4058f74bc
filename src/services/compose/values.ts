/** Variables of a compose file, and of the `.env` beside it. */

export type Variables = Record<string, string>;

/** `NAME=VALUE` lines as compose and dotenv read them: comments, `export`, quotes. */
export function readEnvironment(text: string): Variables {
  const variables: Variables = {};
  for (const line of text.split("\n")) {
    const [, name, given] = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || given === undefined) continue;
    const quoted = /^(['"])(.*)\1(?:\s+#.*)?$/.exec(given)?.[2];
    variables[name] = quoted ?? given.replace(/(?:^|\s+)#.*$/, "");
  }
  return variables;
}

const reference = /\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))/g;

/** The same document with `$NAME`, `${NAME}`, `${NAME:-DEFAULT}` and the like replaced; names without a value go to `unset`. */
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
    if (operator?.endsWith("+") === true) return isThere ? word : "";
    if (isThere) return known;
    if (operator?.endsWith("-") === true) return word;
    unset.add(name);
    return known ?? "";
  });
}
