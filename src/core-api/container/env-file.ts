import { ApiError } from "../values/errors.ts";
import { fileOf, readText } from "../file/file.ts";
import { changed } from "./tree.ts";
import { withEnv } from "../image/config.ts";
import { id, load, typeModule, type Resolver } from "../values/resolver.ts";
import type { Call } from "../request/call.ts";
import type { Container, File } from "../values/values.ts";

/** Variables of a `.env` file as `NAME=value` lines; values are kept as they were written. */
interface EnvFile {
  readonly type: "EnvFile";
  readonly lines: readonly string[];
  /** Lines that values may refer to but that are not variables of this file. */
  readonly context: readonly string[];
}

const sdl = /* GraphQL */ `
  "A collection of environment variables."
  type EnvFile implements Node {
    id: ID!
    asFile: File!
    exists(name: String!): Boolean!
    get(name: String!, raw: Boolean): String!
    namespace(prefix: String!): EnvFile!
    variables(raw: Boolean): [EnvVariable!]!
    withVariable(name: String!, value: String!): EnvFile!
    withoutVariable(name: String!): EnvFile!
  }

  extend type Query {
    envFile(expand: Boolean): EnvFile!
  }
  extend type File {
    asEnvFile(expand: Boolean): EnvFile!
  }
  extend type Container {
    withEnvFileVariables(source: ID! @expectedType(name: "EnvFile")): Container!
  }
`;

const envFileQuery = typeModule<unknown>("Query", "", { envFile: () => envFileOf("") });
const envFileOfFile = typeModule<File>("File", "", {
  asEnvFile: async (file, _args: object, call) => envFileOf(await readText(call, file)),
});
const envFileOfContainer = typeModule<Container>("Container", "", {
  withEnvFileVariables: (container, args: { source: string }, call) => {
    const file = load<EnvFile>(call, args.source, "EnvFile");
    let { Env } = container.config;
    for (const { name, value } of variables(file, call)) Env = withEnv(Env, name, value);
    return changed(container, { config: { ...container.config, Env } });
  },
} satisfies Record<string, Resolver<Container>>);

const envFileModule = typeModule<EnvFile>("EnvFile", sdl, {
  id,
  asFile: ({ lines }) => fileOf(".env", lines.map((line) => `${line}\n`).join(""), 0o644),
  exists: ({ lines }, { name }: { name: string }) => lines.some((line) => nameOf(line) === name),
  get: (file, args: { name: string; raw?: boolean | null }, call) => {
    const line = file.lines.findLast((known) => nameOf(known) === args.name);
    if (line === undefined) return "";
    return args.raw === true ? rawValue(line) : expanded(file, line, call, new Set());
  },
  namespace: (file, { prefix }: { prefix: string }) => {
    const starts = prefixesOf(prefix);
    const inside = (line: string): string | undefined => {
      const start = starts.find((each) => line.toLowerCase().startsWith(each));
      return start === undefined ? undefined : line.slice(start.length);
    };
    return {
      ...file,
      // Two spellings of the prefix can lead to one name.
      lines: file.lines
        .flatMap((line) => inside(line) ?? [])
        .reduce<readonly string[]>((lines, line) => withEnv(lines, nameOf(line), rawValue(line)), []),
      context: [...file.context, ...file.lines.filter((line) => inside(line) === undefined)],
    };
  },
  variables: (file, args: { raw?: boolean | null }, call) =>
    variables(file, call, args.raw === true).map((variable) => ({ type: "EnvVariable", ...variable })),
  withVariable: (file, args: { name: string; value: string }) => ({
    ...file,
    lines: withEnv(file.lines, args.name, args.value),
  }),
  withoutVariable: (file, { name }: { name: string }) => ({
    ...file,
    lines: file.lines.filter((line) => nameOf(line) !== name),
  }),
});

function envFileOf(text: string): EnvFile {
  let lines: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim().replace(/^export\s+/, "");
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    lines = withEnv(lines, nameOf(trimmed), rawValue(trimmed));
  }
  return { type: "EnvFile", lines, context: [] };
}

function variables(file: EnvFile, call: Call, raw = false): { name: string; value: string }[] {
  return file.lines
    .map((line) => ({ name: nameOf(line), value: raw ? rawValue(line) : expanded(file, line, call, new Set()) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Returns how the names of a namespace's variables start, in lower case: `myApp`, `my-app` and `MY_APP_` all stand for
 * `myapp_` and `my_app_`, as on a Dagger engine.
 */
function prefixesOf(prefix: string): string[] {
  const words = prefix
    .replaceAll(/([a-z])(?=[A-Z0-9])|([A-Z])(?=[A-Z][a-z]|[0-9])|([0-9])(?=[A-Za-z])/g, "$&_")
    .toLowerCase()
    .split(/[-_. ]+/)
    .filter((word) => word !== "");
  return [...new Set([`${words.join("")}_`, `${words.join("_")}_`])];
}

function nameOf(line: string): string {
  const equals = line.indexOf("=");
  return (equals < 0 ? line : line.slice(0, equals)).trim();
}

function rawValue(line: string): string {
  const equals = line.indexOf("=");
  return equals < 0 ? "" : line.slice(equals + 1);
}

/**
 * Returns the value without quotes. Outside single quotes, `$NAME`, `${NAME}` and `${NAME:-default}` are replaced by
 * other variables of the file, or the client's. Throws an `ApiError` when a variable refers to itself.
 */
function expanded(file: EnvFile, line: string, call: Call, seen: ReadonlySet<string>): string {
  const name = nameOf(line);
  if (seen.has(name)) throw new ApiError(`variable ${name} of the env file refers to itself`);
  const inner = new Set([...seen, name]);
  const lookup = (wanted: string): string | undefined => {
    const known = [...file.context, ...file.lines].findLast((other) => nameOf(other) === wanted && wanted !== name);
    return known === undefined ? call.session.options.env[wanted] : expanded(file, known, call, inner);
  };
  const value = rawValue(line).trim();
  const parts = value.match(/'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^'"\\]+|./gs) ?? [];
  return parts
    .map((part) => {
      if (part.length > 1 && part.startsWith("'")) return part.slice(1, -1);
      if (part.length > 1 && part.startsWith('"'))
        return substitute(part.slice(1, -1), lookup).replaceAll(/\\(["\\$`])/g, "$1");
      if (part.startsWith("\\")) return part.slice(1);
      return substitute(part.replace(/(?<!\s)\s+#.*$/s, ""), lookup);
    })
    .join("");
}

/**
 * Replaces `$NAME`, `${NAME}` and `${NAME:-default}`. An unknown or empty variable yields the default, if there is one.
 */
export function substitute(text: string, lookup: (name: string) => string | undefined): string {
  const valueOf = (_match: string, plain?: string, braced?: string, fallback?: string): string => {
    const value = lookup(plain ?? braced ?? "");
    if (value !== undefined && value !== "") return value;
    return fallback ?? value ?? "";
  };
  // Only look for braced names up to the last closing brace. After it no brace is closed, and the regular expression
  // would scan the rest once per opening brace.
  const closed = text.lastIndexOf("}") + 1;
  return (
    text.slice(0, closed).replaceAll(/(?<!\\)\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})/g, valueOf) +
    text.slice(closed).replaceAll(/(?<!\\)\$(\w+)/g, (match, plain: string) => valueOf(match, plain))
  );
}

export const envFileModules = [envFileModule, envFileQuery, envFileOfFile, envFileOfContainer];
