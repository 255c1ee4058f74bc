/**
 * Scans a module's sources as an engine's introspector does; answers with the module, or with what is wrong with it.
 */
import path from "node:path";
import { scan } from "sdk:introspector";
import { listSources } from "../sources.ts";
import { nameProblem } from "./check-names.ts";
import { convertModule } from "./convert.ts";
import { introspectionProblem, syntaxProblem } from "./problems.ts";
import { scanOptions } from "./typescript.ts";
import type { ScanAnswer, ScannedModule, ScanRequest } from "./types.ts";

export async function answer({ root, sourceDir, name, mainObject }: ScanRequest): Promise<ScanAnswer> {
  const sourceRoot = path.join(sourceDir, "src");
  const files = listSources(sourceRoot);
  if (files.length === 0) {
    return { problem: { message: "the module has no TypeScript files", place: path.relative(root, sourceRoot) } };
  }
  scanOptions.sourceDir = sourceDir;
  let failure: unknown;
  // A type that is missing from the small library gets a second attempt with the full one.
  for (const wholeLibrary of [false, true]) {
    scanOptions.wholeLibrary = wholeLibrary;
    const warnings = captureWarnings(root);
    try {
      const introspected = await scan(files, name, false);
      const problem = syntaxProblem(root, files) ?? nameProblem(introspected, root);
      if (problem !== undefined) return { problem };
      const module = convertModule(introspected, root, warnings);
      return checkMainObject(module, mainObject, path.relative(root, sourceRoot), path.relative(root, files[0] ?? ""));
    } catch (error) {
      const problem = syntaxProblem(root, files);
      if (problem !== undefined) return { problem };
      failure = error;
    }
  }
  return { problem: introspectionProblem(root, files, failure) };
}

function checkMainObject(module: ScannedModule, mainObject: string, folder: string, firstFile: string): ScanAnswer {
  if (module.objects[mainObject] !== undefined) return { module };
  const others = Object.values(module.objects);
  return {
    problem: {
      message: `no class ${mainObject} with @object() in ${folder}`,
      place: others[0]?.place ?? `${firstFile}:1`,
      hint:
        others.length === 0
          ? `the main object is the exported class named like the module: @object() export class ${mainObject} {}`
          : `the main object is named like the module; found ${others.map(({ name }) => name).join(", ")}`,
    },
  };
}

function captureWarnings(root: string): string[] {
  const warnings: string[] = [];
  const keep = (...parts: unknown[]): void => {
    const text = parts.join(" ").replaceAll(`${root}/`, "").replace(/\s+/g, " ");
    // The introspector counts lines and columns from zero.
    warnings.push(
      text.replace(
        /(\.m?ts):(\d+):(\d+)/g,
        (_, end: string, line: string, column: string) => `${end}:${Number(line) + 1}:${Number(column) + 1}`,
      ),
    );
  };
  console.warn = keep;
  console.debug = keep;
  console.log = keep;
  return warnings;
}
