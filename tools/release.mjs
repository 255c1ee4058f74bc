// What the npm package has and the checkout does not need: the licences of what is bundled, and types for importers.
import { readdirSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

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
const writtenOut = {
  name: "config-types",
  resolveId: (source, importer) =>
    importer !== undefined && path.resolve(path.dirname(importer), source) === path.join(root, "src/config/types.ts")
      ? path.join(root, "pipelines/vendor/config.d.mts")
      : undefined,
};

/** Writes `index.d.ts`: all that the package's door exports, in one file, so that no path of the sources shows. */
export async function writeTypes(outdir) {
  const [{ rollup }, { dts }] = await Promise.all([import("rollup"), import("rollup-plugin-dts")]);
  const bundle = await rollup({
    input: path.join(root, "src/index.ts"),
    plugins: [
      writtenOut,
      dts({ tsconfig: path.join(root, "tsconfig.json"), compilerOptions: { noEmit: false, paths: {} } }),
    ],
    external: (id) => !id.startsWith(".") && !path.isAbsolute(id),
    onwarn: (warning) => {
      throw new Error(warning.message);
    },
  });
  const { output } = await bundle.generate({ format: "es" });
  await writeFile(path.join(outdir, "index.d.ts"), output[0].code);
  const foreign = [...(await readFile(path.join(outdir, "index.d.ts"), "utf8")).matchAll(/from '([^'.][^']*)'/g)].map(
    (match) => match[1],
  );
  const unknown = foreign.filter((id) => !id.startsWith("node:"));
  if (unknown.length > 0)
    throw new Error(`dist/index.d.ts needs types of ${unknown.join(", ")}, which the package does not depend on`);
}
