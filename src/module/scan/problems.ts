/** Problems in a module's sources, each with its place: `file:line:column`, 1-based. */
import path from "node:path";
import type { Node, SourceFile } from "typescript";
import ts, { scanOptions } from "./typescript.ts";
import type { ScanProblem } from "./types.ts";

export function syntaxProblem(root: string, files: readonly string[]): ScanProblem | undefined {
  const { program } = scanOptions;
  const places = files.flatMap((file) => {
    const source = program?.getSourceFile(file);
    return (program?.getSyntacticDiagnostics(source) ?? []).map((diagnostic) => ({
      place: placeAt(root, diagnostic.file, diagnostic.start),
      message: ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"),
    }));
  });
  const [first, ...rest] = places;
  if (first === undefined) return undefined;
  return {
    ...first,
    detail: rest
      .slice(0, 5)
      .map(({ place, message }) => `${place}: ${message}`)
      .join("\n"),
  };
}

/**
 * Converts an introspector's error. Most messages contain the place as `/absolute/file.ts:line:column`, 0-based; for
 * the others it is searched for.
 */
export function introspectionProblem(root: string, files: readonly string[], error: unknown): ScanProblem {
  const text = error instanceof Error ? error.message : String(error);
  const found = /(?: at| from| in)? (\/.{1,1000}?):(\d+):(\d+)/.exec(text);
  if (found !== null) {
    const [whole, file = "", line, column] = found;
    return {
      message: text
        .replace(whole, "")
        .replace(/(?<!\s)\s+\./, ".")
        .trim(),
      place: `${path.relative(root, file)}:${Number(line) + 1}:${Number(column) + 1}`,
    };
  }
  const known = error instanceof Error && error.constructor.name === "IntrospectionError";
  if (error instanceof RangeError) return { message: "the module's sources are nested too deep to be read" };
  const message = known ? text : `the module's signatures could not be read: ${text}`;
  const [, reference, primitive] =
    /^could not (?:resolve|find) type reference for (.+)\.$|'(\w+)' type detected/s.exec(text) ?? [];
  const type = reference ?? primitive;
  const node = (type === undefined ? undefined : nodeOfType(files, type)) ?? scanOptions.lastNode;
  const place = node === undefined ? undefined : placeAt(root, node.getSourceFile(), node.getStart());
  const hint =
    type === undefined
      ? undefined
      : "signatures are made of string, number, boolean, types of Dagger, own classes with @object(), enums, interfaces, and arrays of these";
  return { message, place, hint };
}

function placeAt(root: string, file: SourceFile, position: number): string {
  const { line, character } = ts.getLineAndCharacterOfPosition(file, position);
  return `${path.relative(root, file.fileName)}:${line + 1}:${character + 1}`;
}

/** Finds the first signature with a type: the introspector reports an unknown type, but not where it is used. */
function nodeOfType(files: readonly string[], type: string): Node | undefined {
  const checker = scanOptions.program?.getTypeChecker();
  if (checker === undefined) return undefined;
  const written = (node: Node): Node | undefined => {
    const isOfMember =
      ts.isTypeNode(node) &&
      (ts.isParameter(node.parent) ||
        ts.isClassElement(node.parent) ||
        ts.isTypeElement(node.parent) ||
        ts.isTypeNode(node.parent));
    return isOfMember && node.getText() === type ? node : ts.forEachChild(node, written);
  };
  // Finds a type that is inferred, or spelled differently.
  const inferred = (node: Node): Node | undefined => {
    const isMember =
      ts.isParameter(node) ||
      ts.isPropertyDeclaration(node) ||
      ts.isMethodDeclaration(node) ||
      ts.isPropertySignature(node) ||
      ts.isMethodSignature(node);
    if (!isMember) return ts.forEachChild(node, inferred);
    const own =
      ts.isMethodDeclaration(node) || ts.isMethodSignature(node)
        ? checker.getSignatureFromDeclaration(node)?.getReturnType()
        : checker.getTypeAtLocation(node);
    const isIt = own !== undefined && unwrapped(checker.typeToString(checker.getNonNullableType(own))) === type;
    return isIt ? node.name : ts.forEachChild(node, inferred);
  };
  for (const look of [written, inferred]) {
    for (const file of files) {
      const source = scanOptions.program?.getSourceFile(file);
      const found = source === undefined ? undefined : look(source);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** Returns the element type of a promise or an array, as the introspector names it. */
function unwrapped(type: string): string {
  const inner = /^(?:Promise|Awaited|Array)<(.*)>$/s.exec(type)?.[1] ?? /^(.*)\[\]$/s.exec(type)?.[1];
  return inner === undefined ? type : unwrapped(inner);
}
