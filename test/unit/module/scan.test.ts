import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { functionInputs, loadModule, type ModuleInfo } from "../../../src/module/index.ts";
import { listModuleFiles, moduleDigest } from "../../../src/module/manifest/digest.ts";
import { readManifest } from "../../../src/module/manifest/manifest.ts";
import { brokenModules, decorated, manifest } from "./broken-modules.ts";
import { removeCache, useBuiltPrograms } from "./built.ts";

const fixture = path.resolve(import.meta.dirname, "../../fixtures/modules/everything");
const folders: string[] = [];

beforeAll(useBuiltPrograms, 60_000);
afterAll(removeCache);
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), "fastloop-scan-"));
  folders.push(made);
  return made;
}

function moduleFolder(manifest: string, files: Record<string, string>): string {
  const root = folder();
  writeFileSync(path.join(root, "dagger.json"), manifest);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return root;
}

/** A copy of the fixture in a git repository of its own, so that nothing around it counts. */
async function everything(): Promise<ModuleInfo> {
  const root = folder();
  cpSync(fixture, root, { recursive: true });
  mkdirSync(path.join(root, ".git"));
  return loadModule(root);
}

describe("a module read from its sources", () => {
  it("is what an engine sees of it: functions, arguments, defaults, docs, policies, types", async () => {
    const { root, sourceDir, repository, contextDir, ...module } = await everything();
    expect({
      repository: path.relative(root, repository),
      sourceDir: path.relative(root, sourceDir),
      contextDir: path.relative(root, contextDir),
    }).toEqual({ repository: "", sourceDir: "ci", contextDir: "" });
    await expect(`${JSON.stringify(module, null, 2)}\n`).toMatchFileSnapshot(
      path.join(import.meta.dirname, "everything.golden.json"),
    );
  });

  it("reads its contextual arguments relative to the repository or to dagger.json", async () => {
    const module = await everything();
    const main = module.objects.Everything2Go;
    expect(main && functionInputs(module, main.functions.shout!)).toEqual([
      {
        argument: "site",
        kind: "directory",
        path: path.join(module.root, "site"),
        ignore: ["**/node_modules", "*.log"],
      },
    ]);
    expect(main && functionInputs(module, main.functions.verify!)).toEqual([
      { argument: "manifest", kind: "file", path: path.join(module.root, "ci/package.json"), ignore: [] },
    ]);
  });

  it("refuses a contextual argument outside the repository", async () => {
    const root = moduleFolder(manifest, {
      "src/index.ts": decorated('@func() up(@argument({ defaultPath: "../other" }) d: Directory): void {}'),
    });
    mkdirSync(path.join(root, ".git"));
    const module = await loadModule(root);
    expect(() => functionInputs(module, module.objects.It!.functions.up!)).toThrow("leaves the repository");
  });

  it("has types of packages that are not installed only where its signatures use them", async () => {
    const root = moduleFolder(manifest, {
      "src/index.ts": decorated(
        "@func() fine(): string { return nowhere.text() }",
        'import nowhere from "not-installed"',
      ),
    });
    expect((await loadModule(root)).objects.It?.functions.fine?.returns).toEqual({ kind: "string" });
  });

  it("is cached per session by default before v0.19.4, and when dagger.json says so", async () => {
    const files = {
      "src/index.ts": decorated("@func() a(): string { return '' }\n@func({ cache: '1h' }) b(): string { return '' }"),
    };
    const old = await loadModule(moduleFolder(manifest.replace("v0.21.4", "v0.18.0"), files));
    expect(old.objects.It?.functions.a?.cache).toBe("session");
    expect(old.objects.It?.functions.b?.cache).toBe("1h");
    const off = await loadModule(
      moduleFolder(manifest.replace('"name"', '"disableDefaultFunctionCaching": true, "name"'), files),
    );
    expect(off.objects.It?.functions.a?.cache).toBe("session");
    const current = await loadModule(moduleFolder(manifest, files));
    expect(current.objects.It?.functions.a?.cache).toBeUndefined();
  });
});

describe("a module's digest", () => {
  const source = decorated("@func() a(): string { return '' }");

  it("moves with its sources, dagger.json and what it includes, and with nothing else", async () => {
    const including = manifest.replace('"name"', '"source": "ci", "include": ["notes/*.md"], "name"');
    const root = moduleFolder(including, { "ci/src/index.ts": source, "notes/a.md": "a", "app/main.py": "x" });
    mkdirSync(path.join(root, ".git"));
    writeFileSync(path.join(root, ".gitignore"), "ignored.txt\n");
    const digest = async (): Promise<string> => moduleDigest(listModuleFiles(await readManifest(root)));
    const before = await digest();
    expect((await loadModule(root)).digest).toBe(before);
    const unchanged: Record<string, string> = {
      "app/main.py": "y",
      "ci/node_modules/dep/index.js": "",
      "ci/sdk/client.gen.ts": "",
      "ci/ignored.txt": "",
      "notes/b.txt": "",
    };
    for (const [name, text] of Object.entries(unchanged)) {
      mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      writeFileSync(path.join(root, name), text);
      expect([name, await digest()]).toEqual([name, before]);
    }
    utimesSync(path.join(root, "ci/src/index.ts"), 1, 1);
    chmodSync(path.join(root, "ci/src/index.ts"), 0o664);
    expect(await digest()).toBe(before);
    const seen = [before];
    const changed: Record<string, string> = {
      "notes/a.md": "b",
      "ci/README.md": "new",
      "ci/src/index.ts": `${source}\n`,
    };
    for (const [name, text] of Object.entries(changed)) {
      writeFileSync(path.join(root, name), text);
      expect([name, seen.includes(await digest())]).toEqual([name, false]);
      seen.push(await digest());
    }
    writeFileSync(path.join(root, "dagger.json"), including.replace("v0.21.4", "v0.21.5"));
    expect(seen).not.toContain(await digest());
  });

  it("is the same wherever the module lies", async () => {
    const files = { "src/index.ts": source };
    expect((await loadModule(moduleFolder(manifest, files))).digest).toBe(
      (await loadModule(moduleFolder(manifest, files))).digest,
    );
  });

  it("finds the scan again; a damaged cache is thrown away", async () => {
    const root = moduleFolder(manifest, { "src/index.ts": source });
    const first = await loadModule(root);
    const file = path.join(process.env.XDG_CACHE_HOME ?? "", "fastloop/modules", `${first.digest}.json`);
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace('"returns":{"kind":"string"}', '"returns":{"kind":"boolean"}'),
    );
    expect((await loadModule(root)).objects.It?.functions.a?.returns).toEqual({ kind: "boolean" });
    writeFileSync(file, readFileSync(file, "utf8").slice(0, 40));
    expect(await loadModule(root)).toEqual(first);
    expect(readdirSync(path.dirname(file)).filter((name) => name.includes("tmp"))).toEqual([]);
  });
});

describe("a broken module is one error with place and hint:", () => {
  it.each(brokenModules)("%s", async (_what, text, files, expected) => {
    const root = moduleFolder(text, files);
    const error: unknown = await loadModule(root).catch((failure: unknown) => failure);
    const { place, ...rest } = expected;
    expect(error).toMatchObject({ name: "UserError", ...rest });
    const { place: found = "", exitCode } = error as { place?: string; exitCode: number };
    if (place !== undefined) expect(found.replace(`${root}/`, "")).toBe(place);
    expect(exitCode).toBe(expected.message?.toString().includes("needs a Dagger engine") === true ? 1 : 2);
  });
});
