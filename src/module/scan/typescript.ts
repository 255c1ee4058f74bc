/**
 * The compiler as the introspector gets it: loaded from V8's code cache, with a `createProgram` that parses only what a
 * module's signatures need. A plain load takes 0.5 s and the program with the DOM library 0.8 s; this way they take 0.1
 * s and 0.2 s.
 */
import { createRequire } from "node:module";
import path from "node:path";
import type * as TypeScript from "typescript";
import { clientTypes, libraryTypes } from "sdk:client-types";
import { cacheHome, readRegular } from "../../paths/index.ts";
import { largestSourceBytes } from "../sources.ts";
import { requireCached } from "./require-cached.ts";

const require = createRequire(import.meta.url);
const loaded = requireCached(require.resolve("typescript"), path.join(cacheHome(), "code"));
const compiler = loaded.exports as typeof TypeScript;

/** Saves the compiled code for the next scan. */
export const saveCompiledCode = loaded.save;

/** Options of the current scan's program, and the program itself. */
export const scanOptions: {
  sourceDir: string;
  wholeLibrary: boolean;
  program: TypeScript.Program | undefined;
  /** Node that the introspector visited last, which locates errors that name no place. */
  lastNode: TypeScript.Node | undefined;
} = { sourceDir: "", wholeLibrary: false, program: undefined, lastNode: undefined };

/** The compiler with `createProgram` replaced, recording which nodes are visited. */
const patched = Object.create(compiler, {
  createProgram: { value: createProgram },
  getDecorators: {
    value: (node: TypeScript.HasDecorators) => {
      scanOptions.lastNode = node;
      return compiler.getDecorators(node);
    },
  },
}) as typeof TypeScript;
// The introspector imports the compiler as a default.
// oxlint-disable-next-line import/no-default-export
export default patched;

/** Reads only regular files; the compiler's own reading blocks on pipes and never ends on a device. */
function textOf(file: string): string | undefined {
  try {
    return readRegular(file, { maxBytes: largestSourceBytes })
      .toString("utf8")
      .replace(/^\uFEFF/, "");
  } catch {
    return undefined;
  }
}

function createProgram(rootNames: readonly string[], options: TypeScript.CompilerOptions): TypeScript.Program {
  const clientFile = path.join(scanOptions.sourceDir, "sdk", "client.gen.ts");
  const libraryFile = path.join(scanOptions.sourceDir, "sdk", "lib.d.ts");
  const virtual = new Map([[clientFile, clientTypes]]);
  let settings = options;
  if (!scanOptions.wholeLibrary) {
    virtual.set(libraryFile, libraryTypes);
    settings = { ...options, noLib: true, types: [] };
    rootNames = [libraryFile, ...rootNames];
  }
  const host = compiler.createCompilerHost(settings);
  const original = { ...host };
  const resolutions = compiler.createModuleResolutionCache(scanOptions.sourceDir, (name) => name, settings);
  host.fileExists = (file) => virtual.has(file) || original.fileExists(file);
  host.readFile = (file) => virtual.get(file) ?? textOf(file);
  host.getSourceFile = (file, version) => {
    const text = virtual.get(file);
    if (text !== undefined) return compiler.createSourceFile(file, text, compiler.ScriptTarget.ES2022, true);
    const read = textOf(file);
    return read === undefined ? undefined : compiler.createSourceFile(file, read, version, true);
  };
  // A signature uses the module's own types and the core API: other packages would cost seconds and add nothing.
  const isSkipped = (text: string, importer: string): boolean =>
    importer === clientFile || (!scanOptions.wholeLibrary && !text.startsWith("."));
  // The SDK that an engine would generate into sdk/ is replaced by the client's declarations, wherever the module
  // imports it.
  host.resolveModuleNameLiterals = (literals, containingFile) =>
    literals.map(({ text }) =>
      text === "@dagger.io/dagger" || text.endsWith("/client.gen.js") || text.endsWith("/client.gen.ts")
        ? { resolvedModule: { resolvedFileName: clientFile, extension: ".ts", isExternalLibraryImport: false } }
        : isSkipped(text, containingFile)
          ? { resolvedModule: undefined }
          : compiler.resolveModuleName(text, containingFile, settings, host, resolutions),
    );
  const program = compiler.createProgram(rootNames, settings, host);
  const checker = program.getTypeChecker();
  const { getSymbolAtLocation } = checker;
  checker.getSymbolAtLocation = (node) => {
    scanOptions.lastNode = node;
    return getSymbolAtLocation(node);
  };
  // The introspector takes the first declaration of a name, and a module may have its own `Container` or `Label`.
  const sources = program.getSourceFiles();
  const ordered = [
    ...sources.filter((source) => source.fileName !== clientFile),
    ...sources.filter((source) => source.fileName === clientFile),
  ];
  program.getSourceFiles = () => ordered;
  scanOptions.program = program;
  return program;
}
