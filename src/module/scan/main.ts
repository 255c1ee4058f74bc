/** The scan's program (dist/module-scan.js): reads a request on stdin, answers with a module or a problem on stdout. */
import { readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { scan } from "sdk:introspector";
import type { Node } from "typescript";
import { listSources } from "../sources.ts";
import { convertModule } from "./convert.ts";
import ts, { saveCompiledCode, scanOptions } from "./typescript.ts";
import type { ScanAnswer, ScannedModule, ScanProblem, ScanRequest } from "./types.ts";

const request = JSON.parse(readFileSync(0, "utf8")) as ScanRequest;
writeAll(JSON.stringify(await answer(request)));
saveCompiledCode();

async function answer({ root, sourceDir, name, mainObject }: ScanRequest): Promise<ScanAnswer> {
  const sourceRoot = path.join(sourceDir, "src");
  const files = listSources(sourceRoot);
  if (files.length === 0) {
    return { problem: { message: "the module has no TypeScript files", place: path.relative(root, sourceRoot) } };
  }
  scanOptions.sourceDir = sourceDir;
  let failure: unknown;
  // A type that the small library does not know gets a second chance with the whole one.
  for (const wholeLibrary of [false, true]) {
    scanOptions.wholeLibrary = wholeLibrary;
    const warnings = captureWarnings(root);
    try {
      const introspected = await scan(files, name, false);
      const problem = syntaxProblem(root, files);
      if (problem !== undefined) return { problem };
      const module = convertModule(introspected, root, warnings);
      return checkMainObject(module, mainObject, path.relative(root, sourceRoot));
    } catch (error) {
      const problem = syntaxProblem(root, files);
      if (problem !== undefined) return { problem };
      failure = error;
    }
  }
  return { problem: introspectionProblem(root, files, failure) };
}

function checkMainObject(module: ScannedModule, mainObject: string, folder: string): ScanAnswer {
  if (module.objects[mainObject] !== undefined) return { module };
  const others = Object.keys(module.objects);
  return {
    problem: {
      message: `no class ${mainObject} with @object() in ${folder}`,
      place: folder,
      hint:
        others.length === 0
          ? `the main object is the exported class named like the module: @object() export class ${mainObject} {}`
          : `the main object is named like the module; found ${others.join(", ")}`,
    },
  };
}

function syntaxProblem(root: string, files: string[]): ScanProblem | undefined {
  const { program } = scanOptions;
  const places = files.flatMap((file) => {
    const source = program?.getSourceFile(file);
    return (program?.getSyntacticDiagnostics(source) ?? []).map((diagnostic) => {
      const { line, character } = ts.getLineAndCharacterOfPosition(diagnostic.file, diagnostic.start);
      return {
        place: `${path.relative(root, diagnostic.file.fileName)}:${line + 1}:${character + 1}`,
        message: ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"),
      };
    });
  });
  const [first, ...rest] = places;
  if (first === undefined) return undefined;
  return { ...first, detail: rest.slice(0, 5).map(({ place, message }) => `${place}: ${message}`).join("\n") };
}

/** The introspector names places as `/absolute/file.ts:line:column`, counted from zero. */
function introspectionProblem(root: string, files: readonly string[], error: unknown): ScanProblem {
  const text = error instanceof Error ? error.message : String(error);
  const found = /(?: at| from| in)? (\/\S+?):(\d+):(\d+)/.exec(text);
  if (found === null) {
    const known = error instanceof Error && error.constructor.name === "IntrospectionError";
    const type = /^could not resolve type reference for (.+)\.$|'(\w+)' type detected/.exec(text);
    const place = type === null ? undefined : placeOfType(root, files, type[1] ?? type[2] ?? "");
    const hint = type === null ? undefined : "signatures are made of string, number, boolean, types of Dagger, own classes with @object(), enums, interfaces, and arrays of these";
    return { message: known ? text : `the module's signatures could not be read: ${text}`, place, hint };
  }
  const [whole, file = "", line, column] = found;
  return {
    message: text.replace(whole, "").replace(/\s+\./, ".").trim(),
    place: `${path.relative(root, file)}:${Number(line) + 1}:${Number(column) + 1}`,
  };
}

/** Where a member of a class first names the type: the introspector says that it knows no such type, not whose. */
function placeOfType(root: string, files: readonly string[], type: string): string | undefined {
  const inSignature = (node: Node): Node | undefined => {
    const isOfMember = ts.isTypeNode(node) && (ts.isParameter(node.parent) || ts.isClassElement(node.parent) || ts.isTypeNode(node.parent));
    return isOfMember && node.getText() === type ? node : ts.forEachChild(node, inSignature);
  };
  for (const file of files) {
    const source = scanOptions.program?.getSourceFile(file);
    const found = source === undefined ? undefined : inSignature(source);
    if (source === undefined || found === undefined) continue;
    const { line, character } = ts.getLineAndCharacterOfPosition(source, found.getStart());
    return `${path.relative(root, file)}:${line + 1}:${character + 1}`;
  }
  return undefined;
}

function captureWarnings(root: string): string[] {
  const warnings: string[] = [];
  const keep = (...parts: unknown[]): void => {
    warnings.push(parts.join(" ").replaceAll(`${root}/`, "").replace(/\s+/g, " "));
  };
  console.warn = keep;
  console.debug = keep;
  console.log = keep;
  return warnings;
}

/** Pipes take what they can at a time; `process.exit` must not cut the answer. */
function writeAll(text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
