// Bundles src/ into dist/ with esbuild: one file per program, shared code in chunks, so that `fastloop --version`
// reads two small files and a command loads only what it needs.
import { build } from "esbuild";
import { existsSync } from "node:fs";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { buildSdkPrograms } from "./build-sdk.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, "dist");
const { version } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));

/** Programs: name in dist/ -> source. */
const programs = {
  fastloop: "src/cli/main.ts",
  engine: "src/engine/embedded/daemon/main.ts",
  provision: "src/engine/dagger/provision.ts",
  "setup-support": "src/engine/embedded/daemon/setup-support.ts",
  bench: "test/bench/main.ts",
  chaos: "test/chaos/main.ts",
};

const entryPoints = Object.fromEntries(
  Object.entries(programs).filter(([, source]) => existsSync(path.join(root, source))),
);

await rm(dist, { recursive: true, force: true });
const result = await build({
  absWorkingDir: root,
  entryPoints,
  outdir: dist,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: "linked",
  metafile: true,
  logLevel: "warning",
  define: { __FASTLOOP_VERSION__: JSON.stringify(version) },
  // Loaded at run time from node_modules, never part of a bundle: the compiler, the bundler and the SDK.
  external: ["esbuild", "typescript", "@dagger.io/dagger"],
  loader: { ".proto": "text", ".graphql": "text" },
  banner: {
    // CommonJS dependencies inside an ES module bundle look for these.
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});

await buildSdkPrograms(dist);

// The build id tells a running engine daemon of another build apart.
const hash = createHash("sha256");
for (const file of Object.keys(result.metafile.outputs).filter((f) => f.endsWith(".js")).sort()) {
  hash.update(file).update(await readFile(path.join(root, file)));
}
await writeFile(path.join(dist, "build-id"), hash.digest("hex").slice(0, 16));
await chmod(path.join(dist, "fastloop.js"), 0o755).catch(() => {});
