import { LineCounter, isMap, isNode, isPair, parseDocument } from "yaml";
import type { Document } from "yaml";
import { configSchema } from "./schema.ts";
import { meaningProblems } from "./meaning.ts";
import { describeIssue } from "./issues.ts";
import type { Config, ConfigProblem, ParsedConfig } from "./types.ts";

/** Reads the text of a `fastloop.yaml`: syntax, then structure, then meaning; each level only when the one before holds. */
export function parseConfig(text: string): ParsedConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  if (document.errors.length > 0) {
    return failed(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        // The library's text goes on with a code frame; the first line says it.
        const message = (error.message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:?$/, "");
        return { line, column: col, path: "", level: "syntax", message };
      }),
    );
  }
  const place = (path: readonly PropertyKey[], key?: string): { line: number; column: number } => {
    const { line, col } = lines.linePos(offsetOf(document, path, key));
    return { line, column: col };
  };
  const result = configSchema.safeParse(document.toJS() ?? {}, { reportInput: true });
  if (!result.success) {
    return failed(
      result.error.issues.flatMap((issue) =>
        describeIssue(issue).map(({ key, ...described }) => ({
          ...place(issue.path, key),
          path: dotted(key === undefined ? issue.path : [...issue.path, key]),
          level: "structure" as const,
          ...described,
        })),
      ),
    );
  }
  return failed(
    meaningProblems(result.data).map(({ path, message, hint }) => ({
      ...place(path),
      path: dotted(path),
      level: "semantic" as const,
      message,
      hint,
    })),
    result.data,
  );
}

function failed(problems: ConfigProblem[], config?: Config): ParsedConfig {
  if (problems.length === 0 && config !== undefined) return { config, problems: [] };
  return { config: undefined, problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column) };
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
