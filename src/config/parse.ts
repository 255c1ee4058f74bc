import { LineCounter, isMap, isNode, isPair } from "yaml";
import type { Document } from "yaml";
import { yamlDocument } from "../text/index.ts";
import { configSchema } from "./schema/schema.ts";
import { meaningProblems } from "./meaning.ts";
import { describeIssue } from "./issues.ts";
import type { Config, ConfigProblem, ParsedConfig } from "./types.ts";

/**
 * Reads the text of a `fastloop.yaml`: syntax, then structure, then meaning; each level only when the one before holds.
 * `onLevel` is told when a level has been looked at.
 */
export function parseConfig(
  text: string,
  onLevel: (level: ConfigProblem["level"]) => void = () => undefined,
): ParsedConfig {
  const lines = new LineCounter();
  const document = yamlDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ code, message, pos }): ConfigProblem => {
      const { line, col } = lines.linePos(pos[0]);
      return {
        line,
        column: col,
        path: "",
        level: "syntax",
        code: "yaml-syntax",
        message: code === "MULTIPLE_DOCS" ? "there is more than one document in this file" : inOneLine(message),
      };
    });
    // One unclosed bracket is told by the library once for each level that it leaves open.
    const told = new Set<string>();
    const isNew = (text: string): boolean => told.size < told.add(text).size;
    return failed(problems.filter(({ line, message }) => isNew(`${line} ${message}`)));
  }
  let data: unknown;
  try {
    data = document.toJS() ?? {};
  } catch (error) {
    // An alias of nothing, or of so much that it would fill the memory: the library says it by throwing, without a place.
    return failed([
      {
        line: 1,
        column: 1,
        path: "",
        level: "syntax",
        code: "yaml-syntax",
        message: error instanceof Error ? inOneLine(error.message) : String(error),
      },
    ]);
  }
  onLevel("syntax");
  const place = (path: readonly PropertyKey[], key?: string): { line: number; column: number } => {
    const { line, col } = lines.linePos(offsetOf(document, path, key));
    return { line, column: col };
  };
  const result = configSchema.safeParse(data, { reportInput: true });
  onLevel("structure");
  if (!result.success) {
    return failed(
      result.error.issues
        .slice(0, mostProblems)
        .flatMap((issue) => describeIssue(issue).map((described) => ({ issue, described })))
        // To find a place takes time with the length of the file.
        .slice(0, mostProblems)
        .map(({ issue, described: { key, ...described } }) => ({
          ...place(issue.path, key),
          path: dotted(key === undefined ? issue.path : [...issue.path, key]),
          level: "structure" as const,
          code: key !== undefined ? "unknown-key" : isMissing(described) ? "missing-key" : "wrong-value",
          ...described,
        })),
    );
  }
  return failed(
    meaningProblems(result.data).map(({ path, message, hint, code = "contradiction" }) => ({
      ...place(path),
      path: dotted(path),
      level: "semantic" as const,
      code,
      message,
      hint,
    })),
    result.data,
  );
}

/** Finds places in a text that is parsed once: where the value at a path begins, or the first whole `word` in it. */
export function placesIn(text: string): (path: readonly string[], word?: string) => { line: number; column: number } {
  const lines = new LineCounter();
  const document = yamlDocument(text, { lineCounter: lines });
  return (path, word) => {
    const start = offsetOf(document, path);
    const node = document.getIn(path, true);
    const value = isNode(node) && node.range != null ? text.slice(start, node.range[1]) : "";
    const found =
      word === undefined
        ? null
        : new RegExp(`(?<![^\\s"'])${word.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}(?![\\w-])`).exec(value);
    const { line, col } = lines.linePos(start + (found?.index ?? 0));
    return { line, column: col };
  };
}

const isMissing = ({ message }: { message: string }): boolean => message.endsWith(" is missing");

/** The library's text goes on with a code frame; the first line says it. */
const inOneLine = (message: string): string =>
  cut((message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:?$/, ""));

/** What the file says in a place may be all of the file. */
const cut = (message: string): string => (message.length > 200 ? `${message.slice(0, 200)}…` : message);

/** Of a file that is none of ours each line may be one. */
const mostProblems = 50;

function failed(problems: ConfigProblem[], config?: Config): ParsedConfig {
  if (problems.length === 0 && config !== undefined) return { config, problems: [] };
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return { config: undefined, problems: sorted.slice(0, mostProblems) };
}

const dotted = (path: readonly PropertyKey[]): string => path.map(String).join(".");

/** Offset of the value at `path`, or of `key` inside it; of the nearest parent where that is not in the file. */
function offsetOf(document: Document, path: readonly PropertyKey[], key?: string): number {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (!isNode(node) || node.range == null) continue;
    if (depth === path.length && key !== undefined) return keyOffset(node, key) ?? node.range[0];
    return node.range[0];
  }
  const root = document.contents;
  if (!isNode(root)) return 0;
  return (key === undefined ? undefined : keyOffset(root, key)) ?? root.range?.[0] ?? 0;
}

function keyOffset(node: unknown, key: string): number | undefined {
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isPair(item) && isNode(item.key) && String(item.key) === key);
  return pair !== undefined && isNode(pair.key) ? pair.key.range?.[0] : undefined;
}
