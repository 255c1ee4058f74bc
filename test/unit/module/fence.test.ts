import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleModule } from "../../../src/module/runtime-process/bundle.ts";
import { argumentInput } from "../../../src/module/inputs.ts";
import { readManifest } from "../../../src/module/manifest/manifest.ts";
import type { ModuleInfo } from "../../../src/module/index.ts";
import { removeCache, useBuiltPrograms } from "./built.ts";

const folders: string[] = [];
beforeAll(useBuiltPrograms, 60_000);
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  removeCache();
});

/** A repository with a module in ci/, beside a folder that is the user's. */
function repository(source: string): { module: ModuleInfo; home: string; root: string } {
  const base = realpathSync(mkdtempSync(path.join(tmpdir(), "fastloop-fence-")));
  folders.push(base);
  const [root, home] = [path.join(base, "repo"), path.join(base, "home")];
  for (const folder of [".git", "ci/src", "packages/lib"]) mkdirSync(path.join(root, folder), { recursive: true });
  mkdirSync(path.join(home, "lib"), { recursive: true });
  for (const file of ["config.json", "lib/index.js", "lib/index.ts"])
    writeFileSync(
      path.join(home, file),
      file.endsWith("json") ? '{"auth":"of-the-user"}' : 'export default "of-the-user"',
    );
  writeFileSync(path.join(root, ".git/config.json"), '{"token":"of-the-user"}');
  writeFileSync(path.join(root, "packages/lib/index.js"), 'export default "of-the-workspace"');
  writeFileSync(path.join(root, "packages/lib/package.json"), '{"name":"lib","main":"index.js"}');
  writeFileSync(path.join(root, "ci/src/index.ts"), source.replaceAll("HOME", home));
  const module = {
    name: "ci",
    root: path.join(root, "ci"),
    sourceDir: path.join(root, "ci"),
    repository: root,
    contextDir: root,
    dependencies: [] as ModuleInfo["dependencies"],
    digest: String(Math.random()),
  } as ModuleInfo;
  return { module, home, root };
}

const link = (target: string, place: string): void => {
  mkdirSync(path.dirname(place), { recursive: true });
  symlinkSync(target, place);
};

describe("a bundle", () => {
  it.each([
    ["by an absolute path", 'import x from "HOME/config.json"', 22],
    ["by a relative path", 'import x from "../../../home/config.json"', 22],
    ["when it runs", 'const x = await import("HOME/lib/index.js")', 31],
    ["by require", 'const x = require("HOME/config.json")', 26],
    ["by an export", 'export * from "HOME/lib/index.ts"', 22],
    ["by a file URL", 'import x from "file://HOME/config.json"', 22],
    ["to git's own files", 'import x from "../../.git/config.json"', 22],
  ])("holds nothing of the user's that is imported %s", async (_how, code, _column) => {
    const { module } = repository(`// First line.\n${code}\nconsole.log(x)`);
    await expect(bundleModule(module)).rejects.toMatchObject({
      code: "module",
      message: expect.stringMatching(/this import leads to .*, which is no file of the module|Could not resolve/),
      place: expect.stringMatching(/^src\/index\.ts:2:\d+$/),
    });
  });

  it("holds nothing that a link among the sources leads to, whatever kind of link", async () => {
    const file = repository('import x from "./linked.json"\nconsole.log(x)');
    link(path.join(file.home, "config.json"), path.join(file.root, "ci/src/linked.json"));
    await expect(bundleModule(file.module)).rejects.toMatchObject({ place: "src/index.ts:1:15" });
    const folder = repository('import x from "./linked/index"\nconsole.log(x)');
    link(path.join(folder.home, "lib"), path.join(folder.root, "ci/src/linked"));
    await expect(bundleModule(folder.module)).rejects.toMatchObject({
      message: expect.stringContaining("no file of the module"),
      place: "src/index.ts:1:15",
    });
    const source = repository("");
    link(path.join(source.home, "lib/index.ts"), path.join(source.root, "ci/src/other.ts"));
    await expect(bundleModule(source.module)).rejects.toMatchObject({
      message: expect.stringContaining("no file of the module"),
      place: "src/other.ts:1:1",
    });
  });

  it("holds nothing of a package that is not in the repository", async () => {
    const linked = repository('import lib from "lib"\nconsole.log(lib)');
    link(path.join(linked.home, "lib"), path.join(linked.root, "ci/node_modules/lib"));
    await expect(bundleModule(linked.module)).rejects.toMatchObject({
      message: expect.stringContaining("in no package of this repository"),
      place: "src/index.ts:1:17",
    });
    const above = repository('import lib from "lib"\nconsole.log(lib)');
    link(path.join(above.home, "lib"), path.join(path.dirname(above.root), "node_modules/lib"));
    await expect(bundleModule(above.module)).rejects.toMatchObject({
      message: expect.stringContaining("in no package of this repository"),
    });
  });

  it.each(["ci/node_modules", "ci/../ci/node_modules"])(
    "is not made where %s is a link that leaves the repository",
    async (place) => {
      for (const target of ["/", undefined]) {
        const { module, root, home } = repository("console.log(1)");
        link(target ?? home, path.join(root, place));
        await expect(bundleModule(module)).rejects.toMatchObject({
          message: expect.stringMatching(/^node_modules is a link to \/.*not in this repository$/),
          place: "node_modules",
        });
      }
    },
  );

  it("holds the packages of a workspace, linked as npm, pnpm and yarn do it", async () => {
    const npm = repository('import lib from "lib"\nconsole.log(lib)');
    link("../packages/lib", path.join(npm.root, "node_modules/lib"));
    await expect(bundleModule(npm.module)).resolves.toMatchObject({ file: expect.any(String) });
    const pnpm = repository('import lib from "lib"\nconsole.log(lib)');
    mkdirSync(path.join(pnpm.root, "node_modules/.pnpm/lib@1.0.0/node_modules/lib"), { recursive: true });
    writeFileSync(path.join(pnpm.root, "node_modules/.pnpm/lib@1.0.0/node_modules/lib/index.js"), "export default 1");
    link("../../node_modules/.pnpm/lib@1.0.0/node_modules/lib", path.join(pnpm.root, "ci/node_modules/lib"));
    await expect(bundleModule(pnpm.module)).resolves.toMatchObject({ file: expect.any(String) });
    const whole = repository('import lib from "lib"\nconsole.log(lib)');
    link("../../packages/lib", path.join(whole.root, "shared/node_modules/lib"));
    link("../shared/node_modules", path.join(whole.root, "ci/node_modules"));
    await expect(bundleModule(whole.module)).resolves.toMatchObject({ file: expect.any(String) });
  });
});

describe("a path in a module's configuration", () => {
  const directory = { name: "source", type: { kind: "object", name: "Directory" } } as Parameters<
    typeof argumentInput
  >[1];

  it("may not leave the repository; where a link leads is for the user's trust to say", () => {
    const { module, root, home } = repository("");
    link(home, path.join(root, "assets"));
    for (const defaultPath of ["../../x", "/../x"]) {
      expect(() => argumentInput(module, { ...directory, defaultPath }, "src/index.ts:3")).toThrow(
        `defaultPath "${defaultPath}" of "source" leaves the repository`,
      );
    }
    expect(argumentInput(module, { ...directory, defaultPath: "/assets" })?.path).toBe(path.join(root, "assets"));
  });

  it("names a source folder whose real path is below dagger.json", async () => {
    const { root, home } = repository("");
    mkdirSync(path.join(home, "src"));
    link(home, path.join(root, "outside"));
    link("ci", path.join(root, "inside"));
    const manifest = (source: string): Promise<unknown> => {
      writeFileSync(
        path.join(root, "dagger.json"),
        JSON.stringify({ name: "ci", engineVersion: "v0.21.4", sdk: "typescript", source }),
      );
      return readManifest(root);
    };
    await expect(manifest("outside")).rejects.toMatchObject({
      message: expect.stringContaining("outside/src is a link that leaves it"),
      place: expect.stringMatching(/dagger\.json:1:\d+$/),
    });
    await expect(manifest("inside")).resolves.toMatchObject({ source: "inside" });
  });
});
