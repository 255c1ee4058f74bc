import path from "node:path";
import type { Node } from "typescript";

/** Returns `file:line` of the node's name, as decorators and comments are above it. */
export function placeOf(node: Node & { name?: Node }, root: string): string {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition((node.name ?? node).getStart(file));
  return `${path.relative(root, file.fileName)}:${line + 1}`;
}
