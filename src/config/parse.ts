import { LineCounter, isMap, isNode, isPair } from "yaml";
import type { Document } from "yaml";
import { printable, yamlDocument } from "../text/index.ts";
import { configSchema } from "./schema/schema.ts";
import { semanticProblems } from "./semantics.ts";
import { describeIssue } from "./issues.ts";
import type { Config, ConfigProblem, ParsedConfig } from "./types.ts";

/**
 * Parses and checks the text of a `fastloop.yaml`: syntax, then structure, then meaning, each level only if the one
 * before passes. `onLevel` is called after each level.
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
    // The library reports one unclosed bracket once for each level that it leaves open.
    const told = new Set<string>();
    const isNew = (text: string): boolean => told.size < told.add(text).size;
    return failed(problems.filter(({ line, message }) => isNew(`${line} ${message}`)));
  }
  let data: unknown;
  try {
    data = document.toJS() ?? {};
  } catch (error) {
    // Thrown without a position for an undefined alias, or for aliases that would expand to fill the memory.
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
        // Finding a position takes time in proportion to the file's length.
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
    semanticProblems(result.data).map(({ path, message, hint, code = "contradiction" }) => ({
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

/**
 * Parses a text once and returns a function that finds the start of the value at a path, or the first whole `word` in
 * it.
 */
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

/** The library's message continues with a code frame; the first line is enough. */
const inOneLine = (message: string): string =>
  cut((message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:?$/, ""));

/** A message may quote a large part of the file. */
const cut = (message: string): string => (message.length > 200 ? `${message.slice(0, 200)}…` : message);

/** Upper limit of reported problems, for files that are not a `fastloop.yaml` at all. */
const mostProblems = 50;

function failed(problems: ConfigProblem[], config?: Config): ParsedConfig {
  if (problems.length === 0 && config !== undefined) return { config, problems: [] };
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return { config: undefined, problems: sorted.slice(0, mostProblems).map(onOneLine) };
}

/** A finding is a line, whatever a key or a value is called. */
function onOneLine({ message, hint, ...problem }: ConfigProblem): ConfigProblem {
  return { ...problem, message: printable(message), ...(hint === undefined ? {} : { hint: printable(hint) }) };
}

const dotted = (path: readonly PropertyKey[]): string => path.map(String).join(".");

/**
 * Returns the offset of the value at `path`, or of `key` inside it; of the nearest parent that is in the file, if it is
 * not.
 */
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
