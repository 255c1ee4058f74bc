// Bundles src/ into dist/ with esbuild: one file per program, shared code in chunks, so that `fastloop --version`
// reads one small file and a command loads only what it needs (build-cli.mjs). `--release` is for the npm package: no source maps, no
// programs of the checkout alone, but types for importers and the licences of what is bundled.
import { build } from "esbuild";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { fileURLToPath, pathToFileURL } from "node:url";
import path from "node:path";
import { buildPage } from "./build-page.mjs";
import { buildSdkPrograms } from "./build-sdk.mjs";
import { buildCli } from "./build-cli.mjs";
import { newFolder, putInPlace } from "./build-folder.mjs";
import { blocksDoor, writeModuleTemplate } from "./module-template.mjs";
import { resolveDoors } from "./resolve-doors.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** Filled beside dist/ and put in its place at the end: of two builds at once none takes the other's files away. */
const dist = newFolder(root);
const { version } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
const release = process.argv.includes("--release");

/** Programs beside the command line: name in dist/ -> source. */
const programs = {
  engine: "src/engine-daemon/main.ts",
  "parse-worker": "src/graphql/parse-worker.ts",
  "json-worker": "src/core-api/file/json-worker.ts",
  "search-worker": "src/core-api/search/worker.ts",
  "setup-support": "src/engine/setup-support.ts",
  index: "src/index.ts",
};
const checkoutPrograms = { bench: "test/bench/main.ts", chaos: "test/chaos/main.ts" };

const entryPoints = Object.fromEntries(
  Object.entries(release ? programs : { ...programs, ...checkoutPrograms }).filter(([, source]) =>
    existsSync(path.join(root, source)),
  ),
);

const options = {
  absWorkingDir: root,
  platform: "node",
  target: "node20",
  sourcemap: release ? false : "linked",
  // The package is read by nobody; names stay, for stacks.
  minifyWhitespace: release,
  metafile: true,
  logLevel: "warning",
  plugins: [resolveDoors(path.join(root, "src"))],
  define: { __FASTLOOP_VERSION__: JSON.stringify(version) },
  // Loaded at run time from node_modules, never part of a bundle: the compiler and the bundler.
  external: ["esbuild", "typescript"],
  loader: { ".proto": "text", ".graphql": "text" },
};
/** CommonJS dependencies inside an ES module bundle look for these. */
const requireBanner = {
  js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
};
const cli = await buildCli(dist, options);

const result = await build({
  ...options,
  entryPoints,
  outdir: dist,
  bundle: true,
  splitting: true,
  format: "esm",
  banner: requireBanner,
});

// Whole, in one file: it holds all commands, and no other program here does.
await build({
  ...options,
  entryPoints: ["src/cli/reference/main.ts"],
  outfile: path.join(dist, "reference.js"),
  bundle: true,
  format: "esm",
  banner: requireBanner,
});

const page = await buildPage(dist);
const sdk = await buildSdkPrograms(dist, { release });
await writeModuleTemplate(path.join(dist, "module-template"));
// `fastloop/pipelines`: for modules that compose the building blocks and bring the Dagger SDK themselves.
const blocks = await build({
  absWorkingDir: root,
  stdin: { contents: await blocksDoor(), resolveDir: path.join(root, "pipelines/src"), loader: "ts" },
  outfile: path.join(dist, "pipelines.js"),
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  metafile: true,
  logLevel: "warning",
  external: ["@dagger.io/dagger"],
});
if (release) {
  const { writeLicences, writeTypes } = await import("./release/additions.mjs");
  await writeLicences(path.join(dist, "licences.txt"), [
    result.metafile,
    ...cli.metafiles,
    blocks.metafile,
    ...page,
    ...sdk.metafiles,
  ]);
  await writeTypes(dist, await blocksDoor());
}

// Pages for man, which npm installs with the package.
const { manualPages } = await import(pathToFileURL(path.join(dist, "reference.js")).href);
await mkdir(path.join(dist, "man"), { recursive: true });
for (const [name, text] of await manualPages(version)) await writeFile(path.join(dist, "man", name), text);

// The build id tells a running engine daemon of another build apart.
const hash = createHash("sha256").update(cli.digest);
for (const file of Object.keys(result.metafile.outputs)
  .filter((f) => f.endsWith(".js"))
  .sort()) {
  hash.update(path.basename(file)).update(await readFile(path.join(root, file)));
}
await writeFile(path.join(dist, "build-id"), hash.digest("hex").slice(0, 16));
// It has said what it had to say.
if (release) await rm(path.join(dist, "reference.js"));
putInPlace(dist, path.join(root, "dist"));
