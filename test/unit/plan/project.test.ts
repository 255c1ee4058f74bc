import { appendFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { ModuleInfo } from "../../../src/module/index.ts";
import {
  brokenProjectSources,
  loadProject,
  moduleSources,
  placeProject,
  projectHasher,
  ProjectScanner,
  type ProjectOptions,
  type ScannedInput,
} from "../../../src/plan/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { ContentHasher, statEntry } from "../../../src/tree/index.ts";
import { makeTree } from "../tree/fixture.ts";
import { moduleAt } from "./fixture.ts";

test("a project is where its fastloop.yaml is, else where the command works", () => {
  const root = makeTree({ "with/fastloop.yaml": "", "with/deep/er": null, "without/.git/HEAD": "", other: null });
  const placeOf = (cwd: string, configFile?: string): string[] => {
    const place = placeProject({ cwd: path.join(root, cwd), configFile });
    return [place.root, place.configFile, place.state.path].map((at) => path.relative(root, at));
  };
  const found = ["with", "with/fastloop.yaml", "with/.fastloop"];
  expect([placeOf("with"), placeOf("with/deep/er")]).toEqual([found, found]);
  expect(placeOf("without")).toEqual(["without", "without/fastloop.yaml", "without/.fastloop"]);
  expect(placeOf("with/deep", "../../other/my.yaml")).toEqual(["other", "other/my.yaml", "other/.fastloop"]);
});

test("what is wrong with the state of a project is told", () => {
  const root = makeTree({ "fastloop.yaml": "", ".fastloop": "no folder" });
  const told: string[] = [];
  placeProject({ cwd: root, onNotice: (text) => told.push(text) }).state.write("runs", "x.json", []);
  expect(told).toHaveLength(1);
});

test("while a project cannot be read, its configuration and module are watched", async () => {
  const root = makeTree({
    "fastloop.yaml": "version: 1\nmodule: ci\n",
    "ci/dagger.json": "{",
    "broken/fastloop.yaml": "{",
    "broken/dagger.json": "{}",
    "none/.git/HEAD": "",
  });
  const watched = async (cwd: string, options: Partial<ProjectOptions> = {}): Promise<string[]> => {
    const at = { cwd: path.join(root, cwd), ...options };
    const sources = await brokenProjectSources(at, placeProject(at));
    return sources.map(({ kind, path: file }) => `${kind} ${path.relative(root, file)}`);
  };
  expect(await watched("")).toEqual(["file fastloop.yaml", "directory ci"]);
  expect(await watched("broken")).toEqual(["file broken/fastloop.yaml", "directory broken"]);
  expect(await watched("none")).toEqual(["file none/fastloop.yaml", "directory none"]);
  expect(await watched("none", { moduleDir: "../later" })).toEqual(["file none/fastloop.yaml", "directory later"]);
  const [file] = await brokenProjectSources({ cwd: root }, placeProject({ cwd: root }));
  expect(file!.filter).toEqual({});
});

/** Which of these files a source selects. */
function selected(root: string, sources: readonly ScannedInput[]): string[] {
  const snapshot = new ProjectScanner(sources, new ContentHasher()).scan();
  const files = sources.flatMap((source) =>
    snapshot
      .listing(source)!
      .entries.filter(({ type }) => type === "file")
      .map((entry) => path.relative(root, path.join(source.path, entry.path))),
  );
  return [...new Set(files)].sort();
}

const files = {
  "dagger.json": "{}",
  "dagger.lock": "",
  "README.md": "",
  ".gitignore": "*.log\n",
  "ci/src/index.ts": "",
  "ci/src/x.log": "",
  "ci/node_modules/x/index.js": "",
  "ci/sdk/index.ts": "",
  "ci/src/sdk/own.ts": "",
  "ci/.fastloop/runs/x": "",
  "ci/.git/HEAD": "",
  "lib/dagger.json": "{}",
  "lib/index.ts": "",
  "lib/sdk/x.ts": "",
};

test("the sources of a module are its settings and what is in its folder, less what is generated or ignored", () => {
  const root = makeTree(files);
  const module = moduleAt(root);
  expect(selected(root, moduleSources(module))).toEqual([
    "ci/src/index.ts",
    "ci/src/sdk/own.ts",
    "dagger.json",
    "dagger.lock",
  ]);
  const inRoot = { ...module, root: path.join(root, "lib"), sourceDir: path.join(root, "lib") };
  expect(selected(root, moduleSources(inRoot))).toEqual(["lib/dagger.json", "lib/index.ts"]);
});

test("the sources of dependencies and toolchains are those of the module as well, each once", () => {
  const root = makeTree(files);
  const module = moduleAt(root);
  const lib: ModuleInfo = { ...module, root: path.join(root, "lib"), sourceDir: path.join(root, "lib") };
  const roots = (changes: Partial<ModuleInfo>): string[] =>
    moduleSources({ ...module, ...changes }).map((source) => path.relative(root, source.path));
  expect(roots({})).toEqual([""]);
  expect(roots({ dependencies: [{ name: "lib", module: lib }] })).toEqual(["", "lib"]);
  const toolchains = [{ name: "lib", module: lib }] as unknown as ModuleInfo["toolchains"];
  expect(roots({ toolchains })).toEqual(["", "lib"]);
  const both = { toolchains, dependencies: [{ name: "lib", module: lib }] };
  expect(roots(both)).toEqual(["", "lib"]);
});

test("of a module without code, or of one that a blueprint stands in for, only the settings are sources", () => {
  const root = makeTree(files);
  const module = moduleAt(root);
  expect(selected(root, moduleSources({ ...module, isCodeless: true }))).toEqual(["dagger.json", "dagger.lock"]);
  const borrowed = { ...module, root: path.join(root, "lib"), sourceDir: path.join(root, "lib"), contextRoot: root };
  expect(selected(root, moduleSources(borrowed))).toEqual([
    "dagger.json",
    "dagger.lock",
    "lib/dagger.json",
    "lib/index.ts",
  ]);
});

test("hashes of files outlive the process in the project's state, and no damaged ones count", () => {
  const root = makeTree({ x: "1" });
  const told: string[] = [];
  const hasher = (): ContentHasher => projectHasher(new ProjectState(root, { onNotice: (text) => told.push(text) }));
  const entry = statEntry(root, "x")!;
  const aged = { ...entry, mtimeNs: 1n, ctimeNs: 1n };
  const first = hasher();
  const hash = first.hash(root, aged);
  first.save();
  const second = hasher();
  expect([second.hash(root, aged), second.work.files]).toEqual([hash, 0]);
  appendFileSync(path.join(root, ".fastloop/hashes"), "x");
  const third = hasher();
  expect([third.hash(root, aged), third.work.files]).toEqual([hash, 1]);
  expect(told).toEqual([
    `${path.join(root, ".fastloop/hashes")} is damaged, or not of this user and place; files are hashed anew`,
  ]);
});

test("a configuration that cannot be read is an error with its place", async () => {
  const root = makeTree({ "fastloop.yaml": "version: 1\nnonsense: 1\n", "dagger.json": "{}" });
  const options = { cwd: root };
  await expect(loadProject(options, new ContentHasher())).rejects.toThrow(/nonsense/);
  writeFileSync(path.join(root, "other.yaml"), "version: 1\nother: 1\n");
  await expect(loadProject({ ...options, configFile: "other.yaml" }, new ContentHasher())).rejects.toThrow(/other/);
});
