/** The scan in this process: what its program answers for the modules of the tests beside this one. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readManifest } from "../../../src/module/manifest/manifest.ts";
import { pascalCase } from "../../../src/module/index.ts";
import { answer } from "../../../src/module/scan/answer.ts";
import { requireCached } from "../../../src/module/scan/require-cached.ts";
import type { ScanAnswer } from "../../../src/module/scan/types.ts";
import { brokenModules, decorated, manifest } from "./broken-modules.ts";

const fixture = path.resolve(import.meta.dirname, "../../fixtures/modules/everything");
let root: string;
// The scan has a process of its own, and takes what the introspector prints.
const { log, warn, debug } = console;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "fastloop-scan-"));
});
afterEach(() => {
  Object.assign(console, { log, warn, debug });
  rmSync(root, { recursive: true, force: true });
});

async function scan(folder: string): Promise<ScanAnswer> {
  const { name, source, root: at } = await readManifest(folder);
  return answer({ root: at, sourceDir: path.join(at, source), name, mainObject: pascalCase(name) });
}

function write(text: string, files: Record<string, string>): void {
  for (const [name, content] of Object.entries({ ...files, "dagger.json": text })) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), content);
  }
}

describe("a scan", () => {
  it("is what an engine sees of a module", async () => {
    const golden = JSON.parse(readFileSync(path.join(import.meta.dirname, "everything.golden.json"), "utf8")) as object;
    const found = await scan(fixture);
    if (!("module" in found)) throw new Error(found.problem.message);
    expect(golden).toMatchObject(JSON.parse(JSON.stringify(found.module)) as object);
  });

  it.each(brokenModules.filter(([, , files]) => Object.keys(files).length > 0))(
    "answers with the problem: %s",
    async (_what, text, files, expected) => {
      write(text, files);
      let found: ScanAnswer;
      try {
        found = await scan(root);
      } catch (error) {
        // dagger.json itself is read before the scan.
        expect(error).toMatchObject({ name: "UserError" });
        return;
      }
      const { place, ...rest } = expected;
      if ("problem" in found)
        expect(found.problem).toMatchObject({ ...rest, ...(place === undefined ? {} : { place }) });
      // What the scan takes and the module's other checks don't.
      else expect(found.module.objects).not.toEqual({});
    },
  );

  it("tells what the introspector warns about, with lines and columns as editors count them", async () => {
    write(manifest, { "src/index.ts": decorated("@func() a(when = Date.now()): string { return '' }") });
    const found = await scan(root);
    if (!("module" in found)) throw new Error(found.problem.message);
    expect(found.module.warnings.join("\n")).toMatch(/src\/index\.ts:5:18 /);
  });
});

describe("a file that is loaded with its compiled code", () => {
  it("is the same from the cache, and from one that is damaged", () => {
    const file = path.join(root, "large.cjs");
    writeFileSync(file, "exports.twice = (value) => value + value;\n");
    const cache = path.join(root, "cache");
    const load = (): number => {
      const { exports, save } = requireCached(file, cache);
      save();
      return (exports as { twice: (value: number) => number }).twice(21);
    };
    expect([load(), load()]).toEqual([42, 42]);
    const [kept = ""] = readdirSync(cache);
    // Another text of the same size and time: V8 has not compiled it yet, so it looks at what is kept.
    const { mtime } = statSync(file);
    writeFileSync(file, "exports.twice = (value) => value + 21;\n".padEnd(statSync(file).size));
    utimesSync(file, mtime, mtime);
    writeFileSync(path.join(cache, kept), "damaged");
    expect(load()).toBe(42);
    // It is made anew.
    expect(readFileSync(path.join(cache, kept), "utf8")).not.toBe("damaged");
  });
});
