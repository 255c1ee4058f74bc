// The command line as chunks in CommonJS, `dist/cli/*.cjs`: what a chunk imports is loaded at once and from code that V8
// has made before (src/cli/start), which Node 20 can do for scripts only. esbuild splits ES modules only, so its chunks are
// turned into CommonJS afterwards, one by one.
import { build, transform } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

const chunkName = String.raw`"\./([\w-]+)\.js"`;
const laterChunk = new RegExp(String.raw`\bimport\(${chunkName}\)`, "g");
const chunkAtOnce = new RegExp(String.raw`\b(from|import) ${chunkName}`, "g");
/** Of what is no chunk: ES modules too, which scripts have no way to. */
const laterOther = /\bawait import\(/g;
const builtIn = /__toESM\(require\("(node:[\w/]+)"\)\)/g;

/** Where code finds what lies beside it: in `dist`, as a program of one file would. */
const places = {
  "import.meta.url": "__dist.url",
  "import.meta.dirname": "__dist.folder",
};
const placesText =
  'const __dist={folder:require("node:path").dirname(__dirname),get url(){return require("node:url").pathToFileURL(__dirname+".js").href}};';
/** A module of Node with itself as its default: esbuild's own way copies every name, in each chunk that imports it. */
const builtInText =
  "const __builtIn=(name)=>{const own=require(name);return Object.create(own,{default:{value:own}})};";

/**
 * What `fastloop` is: an ES module by its name, which does no more than to load the script beside it. An import of a module
 * of Node would cost more there, for an ES module wants all its names: `stdin` and `stdout` of `node:process` are opened for it.
 * An older Node, down to those that know ES modules, gets a sentence.
 */
const entryText = `#!/usr/bin/env node
const [major, minor] = process.versions.node.split(".");
if (major > 20 ? process.getBuiltinModule : major == 20 && minor >= 19)
  process.getBuiltinModule("node:module").createRequire(import.meta.url)("./cli/main.cjs");
else {
  console.error("error: fastloop needs Node 20.19 or newer; this is " + process.version + "\\nhint: install a maintained version, such as 22, 24 or 26");
  process.exitCode = 2;
}
`;

/**
 * Writes the command line of `src/cli` to `dist`: its door `fastloop.js`, the rest into `cli`. `options` are those of the other
 * programs. Gives esbuild's metafiles, and a digest that changes with any chunk.
 */
export async function buildCli(dist, options) {
  const folder = path.join(dist, "cli");
  await mkdir(folder);
  const chunks = await writeChunks(folder, options);
  const main = await build({
    ...options,
    entryPoints: ["src/cli/main.ts"],
    outfile: path.join(folder, "main.cjs"),
    bundle: true,
    format: "cjs",
    define: {
      ...options.define,
      "import.meta.dirname": "__dirname",
      __FASTLOOP_CHUNKS__: JSON.stringify(chunks.digest),
    },
  });
  await writeFile(path.join(dist, "fastloop.js"), entryText, { mode: 0o755 });
  return { metafiles: [chunks.metafile, main.metafile], digest: chunks.digest };
}

async function writeChunks(folder, options) {
  const { outputFiles, metafile } = await build({
    ...options,
    entryPoints: { program: "src/cli/program.ts" },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    write: false,
    // What is replaced below is found by how it is written.
    minifyWhitespace: false,
    sourcemap: options.sourcemap === false ? false : "inline",
  });
  const hash = createHash("sha256");
  for (const { path: file, text } of outputFiles) {
    const name = `${path.basename(file, ".js")}.cjs`;
    const { code, map } = await transform(
      text
        .replace(laterChunk, 'Promise.resolve().then(()=>require("./$1.cjs"))')
        .replace(laterOther, "await __import(")
        .replace(chunkAtOnce, '$1 "./$2.cjs"'),
      {
        format: "cjs",
        platform: "node",
        target: options.target,
        minifyWhitespace: options.minifyWhitespace,
        define: places,
        logLevel: "warning",
        sourcemap: options.sourcemap === false ? false : "external",
        sourcefile: file,
      },
    );
    const chunk = withHelpers(code.replace(builtIn, '__builtIn("$1")'));
    hash.update(name).update(chunk);
    if (map === "") await writeFile(path.join(folder, name), chunk);
    else {
      await writeFile(path.join(folder, name), `${chunk}//# sourceMappingURL=${name}.map\n`);
      await writeFile(path.join(folder, `${name}.map`), map);
    }
  }
  return { metafile, digest: hash.digest("hex").slice(0, 16) };
}

/** On the first line, which keeps the lines of source maps as they are. */
function withHelpers(code) {
  const helpers = [code.includes("__dist.") && placesText, code.includes("__builtIn(") && builtInText];
  return helpers.filter((text) => text !== false).join("") + code;
}
