import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
// @ts-expect-error -- a tool without types
import { resolveDoors } from "../../../tools/resolve-doors.mjs";

/** Two programs that take a thing each from the room `low`: one from its door, one from the door of `high`. */
const files = {
  "low/index.ts":
    'export { small } from "./small.ts";\nexport {\n  large as big,\n  type Large,\n} from "./large.ts";\n',
  "low/small.ts": 'export const small = (): string => "SMALL";\n',
  "low/large.ts":
    'export interface Large { name: string }\nconsole.log("LOADED");\nexport const large = (): string => "LARGE";\n',
  "high/index.ts": 'export { small as little } from "../low/index.ts";\nexport const own = (): string => "OWN";\n',
  "high/user.ts":
    'import {\n  big,\n  type Large,\n} from "../low/index.ts";\nexport const used = (): Large => ({ name: big() });\n',
  "one.ts": 'import { little, own } from "./high/index.ts";\nconsole.log(little(), own());\n',
  "two.ts": 'import { used } from "./high/user.ts";\nconsole.log(used());\n',
};

let folder: string;
let inputs: Record<string, string[]>;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "resolve-doors-"));
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, "src", name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: ["src/one.ts", "src/two.ts"],
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    metafile: true,
    sourcemap: true,
    logLevel: "silent",
    plugins: [resolveDoors(path.join(folder, "src"))],
  });
  inputs = Object.fromEntries(["one", "two"].map((name) => [name, loadedBy(metafile.outputs, `dist/${name}.js`)]));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Sources in a program and in the chunks that it imports. */
function loadedBy(outputs: Record<string, { inputs: object; imports: { path: string }[] }>, file: string): string[] {
  const { inputs: own, imports } = outputs[file]!;
  return [...Object.keys(own), ...imports.flatMap((each) => loadedBy(outputs, each.path))].toSorted();
}

test("a program loads what it uses of a room, and not what other programs use of it", () => {
  expect(inputs["one"]).toEqual(["src/high/index.ts", "src/low/small.ts", "src/one.ts"]);
  expect(inputs["two"]).toEqual(["src/high/user.ts", "src/low/large.ts", "src/two.ts"]);
});

test("lines stay where they are", () => {
  const map = JSON.parse(readFileSync(path.join(folder, "dist/two.js.map"), "utf8")) as {
    sources: string[];
    sourcesContent: string[];
  };
  const source = map.sourcesContent[map.sources.findIndex((name) => name.endsWith("user.ts"))]!;
  expect(source.split("\n").findIndex((line) => line.startsWith("export const used"))).toBe(4);
});
