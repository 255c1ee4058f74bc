// What the npm package has and the checkout does not need: the licences of what is bundled, and types for importers.
import { readdirSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";

const root = path.dirname(path.dirname(import.meta.dirname));

/** Writes name, version, licence and licence text of every package that esbuild's `metafiles` took something from. */
export async function writeLicences(file, metafiles) {
  const folders = new Set(metafiles.flatMap(({ inputs }) => Object.keys(inputs).flatMap(packageFolder)));
  const sections = [...folders]
    .sort((a, b) => (a < b ? -1 : 1))
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(path.join(root, folder, "package.json"), "utf8"));
      const text = readdirSync(path.join(root, folder))
        .filter((entry) => /^(licen[cs]e|notice|copying)(\.|-|$)/i.test(entry))
        .sort();
      return [
        `${name} ${version} (${license})`,
        ...text.map((entry) => readFileSync(path.join(root, folder, entry), "utf8").trim()),
      ].join("\n\n");
    });
  await writeFile(
    file,
    `The programs in this folder contain parts of these packages.\n\n${sections.join(`\n\n${"-".repeat(80)}\n\n`)}\n`,
  );
}

/** `node_modules/a/dist/x.js` -> `node_modules/a`, also where packages are nested and scoped. */
function packageFolder(input) {
  const found = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input.replaceAll("\\", "/"));
  return found === null ? [] : [found[0]];
}

/** The configuration's types are inferred from a zod schema; tools/generate.mjs has them written out. */
const configTypes = ["src/config/types.ts", "pipelines/vendor/config.mjs"].map((file) => path.join(root, file));
const writtenOut = {
  name: "config-types",
  resolveId: (source, importer) =>
    importer !== undefined && configTypes.includes(path.resolve(path.dirname(importer), source))
      ? path.join(root, "pipelines/vendor/config.d.mts")
      : undefined,
};

/**
 * Writes `index.d.ts` and `pipelines.d.ts`: all that each of the package's doors exports, in one file, so that no path of
 * the sources shows. `blocksDoor` is the source of the second.
 */
export async function writeTypes(outdir, blocksDoor) {
  await writeTypesOf(path.join(root, "src/index.ts"), path.join(outdir, "index.d.ts"), "tsconfig.json", []);
  const door = path.join(outdir, "pipelines-door.ts");
  await writeFile(door, blocksDoor);
  try {
    await writeTypesOf(door, path.join(outdir, "pipelines.d.ts"), "pipelines/tsconfig.json", ["@dagger.io/dagger"]);
  } finally {
    await rm(door);
  }
}

/** `peers` are the packages whose types the importer has anyway. */
async function writeTypesOf(input, file, tsconfig, peers) {
  const [{ rollup }, { dts }] = await Promise.all([import("rollup"), import("rollup-plugin-dts")]);
  const bundle = await rollup({
    input,
    plugins: [writtenOut, dts({ tsconfig: path.join(root, tsconfig), compilerOptions: { noEmit: false, paths: {} } })],
    external: (id) => !id.startsWith(".") && !path.isAbsolute(id),
    onwarn: (warning) => {
      throw new Error(warning.message);
    },
  });
  const { output } = await bundle.generate({ format: "es" });
  await writeFile(file, output[0].code);
  const foreign = [...output[0].code.matchAll(/from '([^'.][^']*)'/g)].map((match) => match[1]);
  const unknown = foreign.filter((id) => !id.startsWith("node:") && !peers.includes(id));
  if (unknown.length > 0)
    throw new Error(`${file} needs types of ${unknown.join(", ")}, which the package does not depend on`);
}
