/** JSON that remembers where each value stands, for errors with `line:column`. `JSON.parse` does not say. */
import { isMap, isScalar, isSeq, parseDocument } from "yaml";

export interface PlacedJson {
  value: unknown;
  /** Path of a value (`dependencies.0.name`, the root is "") -> offset of its first character. */
  offsets: Map<string, number>;
}

export class JsonSyntaxError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Parses strict JSON; throws `JsonSyntaxError` with the offset of what does not belong. */
export function parsePlacedJson(text: string): PlacedJson {
  try {
    return { value: JSON.parse(text) as unknown, offsets: offsetsIn(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // "Expected ',' or '}' after property value in JSON at position 14"; not every message says where.
    const [, message = error.message, position] =
      /^(.*?)(?: in JSON)?(?: at position (\d+).*)?$/s.exec(error.message) ?? [];
    const offset = position === undefined ? firstProblem(text) : Number(position);
    throw new JsonSyntaxError(message.replace(/, ".*" is not valid JSON$/s, ""), offset);
  }
}

/** 1-based `line:column` of an offset. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** JSON is YAML, whose parser knows places. */
const json = { schema: "json", uniqueKeys: false, prettyErrors: false, logLevel: "silent" } as const;

function offsetsIn(text: string): Map<string, number> {
  const offsets = new Map<string, number>();
  const note = (node: unknown, path: string): void => {
    const [start] = (node as { range?: [number, number, number] | null } | null)?.range ?? [];
    if (start !== undefined) offsets.set(path, start);
    const below = (key: string): string => (path === "" ? key : `${path}.${key}`);
    if (isSeq(node)) node.items.forEach((item, index) => note(item, below(String(index))));
    if (isMap(node)) for (const { key, value } of node.items) if (isScalar(key)) note(value, below(String(key.value)));
  };
  note(parseDocument(text, json).contents, "");
  return offsets;
}

function firstProblem(text: string): number {
  return parseDocument(text, json).errors[0]?.pos[0] ?? text.trimEnd().length;
}
