// The programs that hold parts of the Dagger SDK: the scan of a module's sources and the host of its function bodies.
// The SDK's `exports` offer neither part, and importing it whole takes 0.6 s: 96 MB of OpenTelemetry, the engine's
// provisioning and the compiler that a function body never uses. So they are cut out of the pinned version here.
import { build } from "esbuild";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const ts = require("typescript");
const sdk = path.dirname(require.resolve("@dagger.io/dagger"));

const shared = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  keepNames: true,
  sourcemap: "linked",
  logLevel: "warning",
  metafile: true,
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
};

/** Builds into `outdir`; returns the files written, relative to the root. */
export async function buildSdkPrograms(outdir) {
  const scan = await build({
    ...shared,
    entryPoints: { "module-scan": "src/module/scan/main.ts" },
    outdir,
    plugins: [scanPlugin],
  });
  return Object.keys(scan.metafile.outputs);
}

/** The introspector with our compiler, and without the generated client (it only wants `TypeDefKind` of it). */
const scanPlugin = {
  name: "sdk-scan",
  setup(builder) {
    builder.onResolve({ filter: /^sdk:introspector$/ }, () => ({
      path: path.join(sdk, "module/introspector/index.js"),
      sideEffects: false,
    }));
    builder.onResolve({ filter: /^sdk:client-types$/ }, () => ({ path: "client-types", namespace: "sdk" }));
    builder.onLoad({ filter: /^client-types$/, namespace: "sdk" }, () => ({
      contents: [
        `export const clientTypes = ${JSON.stringify(withoutComments(path.join(sdk, "api/client.gen.d.ts")))};`,
        `export const libraryTypes = ${JSON.stringify(libraryTypes())};`,
      ].join("\n"),
      loader: "js",
    }));
    builder.onResolve({ filter: /^typescript$/ }, () => ({ path: path.join(root, "src/module/scan/typescript.ts") }));
    // Only `load` is asked of it, and that to import a module, which a scan never does.
    builder.onLoad({ filter: /module\/entrypoint\/load\.js$/ }, () => ({
      contents: "export async function load() { throw new Error('a scan imports nothing'); }",
      loader: "js",
    }));
    builder.onLoad({ filter: /dist\/src\/api\/client\.gen\.js$/ }, async (args) => {
      const text = await readFile(args.path, "utf8");
      const declaration = /export var TypeDefKind;\n\(function \(TypeDefKind\) \{[\s\S]*?\n\}\)\(TypeDefKind \|\| \(TypeDefKind = \{\}\)\);/;
      const found = declaration.exec(text);
      if (found === null) throw new Error(`${args.path} has no TypeDefKind: another version of the SDK?`);
      return { contents: found[0], loader: "js" };
    });
  },
};

/** The ECMAScript library as one file without comments: parsing it is half of a scan's time. */
function libraryTypes() {
  const folder = path.dirname(require.resolve("typescript"));
  const seen = new Set();
  const collect = (name) => {
    if (seen.has(name)) return [];
    seen.add(name);
    const file = path.join(folder, `lib.${name}.d.ts`);
    const references = ts.preProcessFile(ts.sys.readFile(file)).libReferenceDirectives.map(({ fileName }) => fileName);
    const skipped = /intl|sharedmemory|bigint$|decorators/;
    return [...references.filter((reference) => !skipped.test(reference)).flatMap(collect), withoutComments(file)];
  };
  return collect("es2022").join("\n");
}

function withoutComments(file) {
  const source = ts.createSourceFile(file, ts.sys.readFile(file), ts.ScriptTarget.ES2022);
  return ts.createPrinter({ removeComments: true }).printFile(source).replace(/^\/\/\/ <reference.*$/gm, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outdir = process.argv[2] ?? path.join(root, "dist");
  await buildSdkPrograms(path.resolve(outdir));
}
