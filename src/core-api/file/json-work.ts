/** Operations on the text of a JSON document. */

export type Parsed = null | string | number | boolean | Parsed[] | { [name: string]: Parsed };

export type JsonTask =
  | { kind: "compact"; json: string }
  | { kind: "pretty"; json: string; indent: string }
  | { kind: "scalar"; json: string; type: "boolean" | "integer" | "string" }
  | { kind: "elements"; json: string }
  | { kind: "names"; json: string }
  | { kind: "field"; json: string; path: readonly string[] }
  | { kind: "insert"; json: string; path: readonly string[]; value: string };

export type JsonResult<Task extends JsonTask> = Task extends { kind: "elements" | "names" }
  ? string[]
  : Task extends { kind: "scalar" }
    ? string | number | boolean
    : string;

/** Says what is wrong with a document: a syntax error, another type than expected, or a missing field. */
export class JsonProblem extends Error {
  override readonly name = "JsonProblem";
}

/** Each element becomes an object of the session. */
const maxElements = 100_000;
const maxPathNames = 1000;

/** Runs a task. Documents, elements and fields are passed as JSON text. Throws a `JsonProblem`. */
export function jsonWork(task: JsonTask): string | string[] | number | boolean {
  try {
    return work(task, parse(task.json));
  } catch (error) {
    if (error instanceof JsonProblem) throw error;
    // V8's own message is about its call stack or its string length, which says nothing to the user.
    throw new JsonProblem("the JSON value is nested too deep, or its text would be too long");
  }
}

function work(task: JsonTask, value: Parsed): string | string[] | number | boolean {
  switch (task.kind) {
    case "compact":
      return JSON.stringify(value);
    case "pretty":
      return JSON.stringify(value, null, task.indent);
    case "scalar":
      return scalar(value, task.type);
    case "elements":
      return elements(value);
    case "names":
      if (!isObject(value)) throw new JsonProblem("the JSON value is not an object");
      return Object.keys(value);
    case "field":
      return JSON.stringify(fieldOf(value, task.path));
    case "insert":
      if (task.path.length > maxPathNames) throw new JsonProblem(`a path has at most ${maxPathNames} names`);
      return JSON.stringify(withField(value, task.path, parse(task.value)));
  }
}

function parse(text: string): Parsed {
  try {
    return JSON.parse(text) as Parsed;
  } catch (cause) {
    throw new JsonProblem(`not JSON: ${(cause as Error).message}`, { cause });
  }
}

const expected = { boolean: "a boolean", integer: "an integer", string: "a string" };

function scalar(value: Parsed, type: "boolean" | "integer" | "string"): string | number | boolean {
  if (type === "integer" ? Number.isInteger(value) : typeof value === type) return value as string | number | boolean;
  throw new JsonProblem(`the JSON value is not ${expected[type]}`);
}

function elements(value: Parsed): string[] {
  if (!Array.isArray(value)) throw new JsonProblem("the JSON value is not an array");
  if (value.length > maxElements)
    throw new JsonProblem(`the JSON array has ${value.length} elements; the limit is ${maxElements}`);
  return value.map((element) => JSON.stringify(element));
}

function fieldOf(value: Parsed, path: readonly string[]): Parsed {
  let current = value;
  for (const [index, name] of path.entries()) {
    const found: Parsed | undefined = isObject(current) && Object.hasOwn(current, name) ? current[name] : undefined;
    if (found === undefined) throw new JsonProblem(`field not found: ${path.slice(0, index + 1).join(".")}`);
    current = found;
  }
  return current;
}

function isObject(value: Parsed): value is { [name: string]: Parsed } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withField(value: Parsed, path: readonly string[], inserted: Parsed): Parsed {
  const [name, ...rest] = path;
  if (name === undefined) return inserted;
  const object = isObject(value) ? value : {};
  // A spread would treat a field named `__proto__` specially; here it is a field like any other.
  const copy = Object.fromEntries(Object.entries(object));
  Object.defineProperty(copy, name, {
    value: withField(Object.hasOwn(object, name) ? object[name]! : {}, rest, inserted),
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return copy;
}
