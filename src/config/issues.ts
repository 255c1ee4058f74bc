import type * as z from "zod";
import { configSchema } from "./schema/schema.ts";
import { insideProject } from "./schema/schema-parts.ts";
import { suggest } from "./suggest.ts";

/** One problem in words; `key` is set if its position is that of a key instead of a value. */
export interface DescribedIssue {
  message: string;
  hint?: string;
  key?: string;
}

/** Upper limit of unknown keys reported for one map: such a file is not a `fastloop.yaml`. */
const mostKeys = 50;

/** Describes a schema issue in terms that a reader of the file knows. */
export function describeIssue(issue: z.core.$ZodIssue): DescribedIssue[] {
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = keysAt(issue.path);
      return issue.keys
        .slice(0, mostKeys)
        .map((key) => ({ key, message: `unknown key \`${key}\``, hint: keyHint(key, known) }));
    }
    case "invalid_type":
      return [
        {
          message: issue.message.endsWith("received undefined")
            ? `\`${String(issue.path.at(-1))}\` is missing`
            : `expected ${kinds[issue.expected] ?? issue.expected}, got ${kindOf(issue.input)}`,
        },
      ];
    case "invalid_value":
      return [invalidValue(issue)];
    case "invalid_union": {
      const inner = issue.errors.flat().find((error) => error.code === "unrecognized_keys" || error.path.length > 0);
      if (inner !== undefined) return describeIssue(inner);
      return [{ message: "expected a text or one of the longer forms" }];
    }
    case "invalid_format":
      return [{ message: `expected ${issue.message}` }];
    case "invalid_key":
      return issue.issues.length > 0
        ? [{ message: `\`${String(issue.path.at(-1))}\`: expected ${issue.issues[0]?.message}` }]
        : [{ message: issue.message }];
    case "too_small":
      return [
        {
          message:
            issue.minimum === 1 && issue.origin !== "number"
              ? "must not be empty"
              : `expected ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}`,
        },
      ];
    case "too_big":
      return [{ message: `expected at most ${issue.maximum}` }];
    default:
      return [
        {
          message: issue.message.startsWith("a ") ? `expected ${issue.message}` : issue.message,
          hint: issue.message === insideProject ? pathHint(issue.input) : undefined,
        },
      ];
  }
}

/** The schema's type names in YAML's terms. */
const kinds: Readonly<Record<string, string>> = {
  object: "a map",
  record: "a map",
  array: "a list",
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

function kindOf(value: unknown): string {
  if (value === null) return "nothing";
  if (typeof value === "boolean") return String(value);
  const kind = Array.isArray(value) ? "array" : typeof value;
  return kinds[kind] ?? kind;
}

function invalidValue(issue: z.core.$ZodIssueInvalidValue): DescribedIssue {
  const values = issue.values.map((value) => JSON.stringify(value)).join(" or ");
  if (issue.input !== undefined) return { message: `expected ${values}` };
  const key = String(issue.path.at(-1));
  return { message: `\`${key}\` is missing`, hint: `write \`${key}: ${values}\`` };
}

/** Hints at paths in the style of ignore files, where a leading slash means the project's root. */
function pathHint(path: unknown): string | undefined {
  if (typeof path !== "string" || !path.startsWith("/")) return undefined;
  const meant = path.replace(/^\/+/, "") || "**";
  return `paths begin at the folder of fastloop.yaml: write \`${meant}\``;
}

function keyHint(key: string, known: readonly string[]): string | undefined {
  const meant = suggest(key, known);
  if (meant !== undefined) return `did you mean \`${meant}\`?`;
  return known.length > 0 ? `known here: ${known.join(", ")}` : undefined;
}

/** Returns the keys that the schema allows at a path. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let schemas: z.core.$ZodType[] = [configSchema];
  for (const step of path) schemas = schemas.flatMap((schema) => childrenOf(schema, step));
  return schemas.flatMap((schema) => unwrap(schema)).flatMap((schema) => Object.keys(shapeOf(schema) ?? {}));
}

type Definition = z.core.$ZodTypeDef & {
  innerType?: z.core.$ZodType;
  options?: z.core.$ZodType[];
  element?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
  shape?: Record<string, z.core.$ZodType>;
};
const definition = (schema: z.core.$ZodType): Definition => schema._zod.def;
const shapeOf = (schema: z.core.$ZodType): Record<string, z.core.$ZodType> | undefined => definition(schema).shape;

function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  const { innerType, options } = definition(schema);
  if (innerType !== undefined) return unwrap(innerType);
  return options === undefined ? [schema] : options.flatMap(unwrap);
}

function childrenOf(schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType[] {
  return unwrap(schema).flatMap((inner) => {
    const { shape, element, valueType } = definition(inner);
    const child = shape?.[String(step)] ?? element ?? valueType;
    return child === undefined ? [] : [child];
  });
}
