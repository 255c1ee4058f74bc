// The programs that hold parts of the Dagger SDK: the scan of a module's sources and the host of its function bodies.
// The SDK's `exports` offer neither part, and importing it whole takes 0.6 s: 96 MB of OpenTelemetry, the engine's
// provisioning and the compiler that a function body never uses. So they are cut out of the pinned version here.
import { build } from "esbuild";
import { createRequire } from "node:module";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { coreSchema } from "./core-schema.mjs";

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
  logLevel: "warning",
  metafile: true,
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
};

/** Builds into `outdir`; returns esbuild's accounts of what went into which file. */
export async function buildSdkPrograms(outdir, { release = false } = {}) {
  const options = { ...shared, sourcemap: release ? false : "linked", minifyWhitespace: release };
  const scan = await build({
    ...options,
    entryPoints: { "module-scan": "src/module/scan/main.ts" },
    outdir,
    plugins: [scanPlugin],
  });
  const host = await build({
    ...options,
    entryPoints: {
      "function-runtime": "src/module/runtime/main.ts",
      sdk: "sdk:public",
      "sdk-telemetry": "sdk:telemetry",
    },
    outdir,
    splitting: true,
    // `graphql` as ES modules, of which only the parser and the printer are used.
    mainFields: ["module", "main"],
    chunkNames: "sdk-[name]-[hash]",
    plugins: [hostPlugin],
  });
  const provision = await build({
    ...options,
    entryPoints: { provision: "src/engine/dagger/provision.ts" },
    outdir,
    plugins: [provisionPlugin],
  });
  await writeFile(path.join(outdir, "core-schema.json"), JSON.stringify(coreSchema()));
  return { metafiles: [scan.metafile, host.metafile, provision.metafile] };
}

/**
 * A part of the SDK by its name of ours (`sdk:runtime`) as one ES module, for tests that run our sources beside it in their
 * own process: what is ours stays an import.
 */
export async function sdkPart(name) {
  const ours = {
    name: "ours",
    setup(builder) {
      const stays = (file) => ({ path: path.join(root, "src/module", file), external: true });
      builder.onResolve({ filter: /^typescript$/ }, () => stays("scan/typescript.ts"));
      builder.onResolve({ filter: /\/client\.js$/ }, (args) =>
        path.resolve(args.resolveDir, args.path) === path.join(sdk, "common/graphql/client.js")
          ? stays("runtime/graphql-client.ts")
          : undefined,
      );
    },
  };
  const built = await build({
    ...shared,
    entryPoints: [name],
    write: false,
    mainFields: ["module", "main"],
    plugins: [ours, name === "sdk:runtime" ? hostPlugin : scanPlugin],
  });
  return built.outputFiles[0].text;
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
      const declaration =
        /export var TypeDefKind;\n\(function \(TypeDefKind\) \{[\s\S]*?\n\}\)\(TypeDefKind \|\| \(TypeDefKind = \{\}\)\);/;
      const found = declaration.exec(text);
      if (found === null) throw new Error(`${args.path} has no TypeDefKind: another version of the SDK?`);
      return { contents: found[0], loader: "js" };
    });
  },
};

/**
 * The SDK for function bodies: its public face, and for the host the connection below it. What needs an engine's start,
 * OpenTelemetry's exporters or the compiler is left out; a body that runs inside a session cannot reach it.
 */
const hostPlugin = {
  name: "sdk-host",
  setup(builder) {
    const inSdk = (file) => () => ({ path: path.join(sdk, file) });
    builder.onResolve({ filter: /^sdk:public$/ }, () => ({ path: "public", namespace: "sdk" }));
    // `agent` is a decorator of the SDK 1.0. An import that is missing would fail every function of a module, not only
    // its agents. Like the other decorators it does nothing when a body runs.
    builder.onLoad({ filter: /^public$/, namespace: "sdk" }, () => ({
      contents: `export * from "./index.js"; export const agent = () => () => {};`,
      resolveDir: sdk,
      loader: "js",
    }));
    builder.onResolve({ filter: /^sdk:telemetry$/ }, inSdk("telemetry/index.js"));
    builder.onResolve({ filter: /^sdk:runtime$/ }, () => ({ path: "runtime", namespace: "sdk" }));
    builder.onLoad({ filter: /^runtime$/, namespace: "sdk" }, () => ({
      contents: `
        export * as clientGen from "./api/client.gen.js";
        export { Context } from "./common/context.js";
        export { Connection, globalConnection } from "./common/graphql/connection.js";
        export { createGQLClient } from "./common/graphql/client.js";
        export { registry } from "./module/registry.js";`,
      resolveDir: sdk,
      loader: "js",
    }));
    const replacements = [
      // Our client carries the call's id and cancellation and keeps connections open.
      [
        /\/client\.js$/,
        "common/graphql/client.js",
        () => ({ path: path.join(root, "src/module/runtime/graphql-client.ts") }),
      ],
    ];
    for (const [filter, target, to] of replacements) {
      builder.onResolve({ filter }, (args) =>
        path.resolve(args.resolveDir, args.path) === path.join(sdk, target) ? to() : undefined,
      );
    }
    stub(builder, "telemetry/init", noExporters);
    stub(
      builder,
      "provisioning/index",
      "export function withEngineSession() { throw new Error('there is no session in the environment'); }",
    );
    stub(builder, "module/entrypoint/entrypoint", noEntrypoint);
  },
};

/** The SDK for the program that starts an engine: its provisioning, without exporters and without what runs a module. */
const provisionPlugin = {
  name: "sdk-provision",
  setup(builder) {
    stub(builder, "telemetry/init", noExporters);
    stub(builder, "module/entrypoint/entrypoint", noEntrypoint);
  },
};

const noExporters =
  "export class DaggerOtelConfigurator { initialize() {} configure() {} async close() {} setupEnv() {} }";
const noEntrypoint = "export async function entrypoint() { throw new Error('fastloop runs this module'); }";

/** Puts `contents` in the place of a file of the SDK. */
function stub(builder, file, contents) {
  builder.onLoad({ filter: new RegExp(`dist/src/${file}\\.js$`) }, () => ({ contents, loader: "js" }));
}

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
  return ts
    .createPrinter({ removeComments: true })
    .printFile(source)
    .replace(/^\/\/\/ <reference.*$/gm, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outdir = process.argv[2] ?? path.join(root, "dist");
  await buildSdkPrograms(path.resolve(outdir));
}
