import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { InstalledLinks } from "../../../src/plan/scan/installed-links.ts";
import { statEntry } from "../../../src/tree/index.ts";
import { makeTree } from "../tree/fixture.ts";

const ui = { link: "../../../packages/ui" };

/** A folder's time that no later write has, as of one that was installed long ago. */
const age = (folder: string): void => utimesSync(folder, 1000, 1000);

const namesOf = (links: InstalledLinks, folder: string): string[] => [...links.of(folder).keys()].sort();

test("links to packages of the project are found by their names, with and without a scope", () => {
  const root = makeTree({
    "app/node_modules/ui": { link: "../../packages/ui" },
    "app/node_modules/@me/core": ui,
    "app/node_modules/@me/deep/er": { link: "x" },
    "app/node_modules/@link": { link: "../../packages" },
    "app/node_modules/folder/index.js": "",
    "app/node_modules/file": "",
  });
  const app = path.join(root, "app");
  const links = new InstalledLinks();
  expect(links.of(app)).toEqual(
    new Map([
      ["@link", path.join(app, "node_modules/@link")],
      ["@me/core", path.join(app, "node_modules/@me/core")],
      ["ui", path.join(app, "node_modules/ui")],
    ]),
  );
  expect(links.folders).toEqual([path.join(app, "node_modules"), path.join(app, "node_modules/@me")]);
});

test("a link to an installed package does not count, from wherever it starts", () => {
  const root = makeTree({
    "app/node_modules/one": { link: ".pnpm/one@1/node_modules/one" },
    "app/node_modules/two": { link: "../../store/node_modules/two" },
    "app/node_modules/three": { link: "/store/node_modules/three" },
    "app/node_modules/four": { link: "../../my_node_modules/four" },
    "store/node_modules/up": { link: "../up" },
    "linked/node_modules": { link: "../store/node_modules" },
  });
  const links = new InstalledLinks();
  expect(namesOf(links, path.join(root, "app"))).toEqual(["four"]);
  expect(namesOf(links, path.join(root, "linked"))).toEqual(["up"]);
});

test("a folder without packages has no links, and is known from then on", () => {
  const root = makeTree({ "file/node_modules": "no folder", app: null });
  const links = new InstalledLinks();
  for (const name of ["app", "file"]) expect(namesOf(links, path.join(root, name))).toEqual([]);
  expect(links.folders).toHaveLength(2);
  expect(links.isStill()).toBe(true);
  mkdirSync(path.join(root, "app/node_modules"));
  expect(links.isStill()).toBe(false);
});

test("a folder that rests is read again only when its time moved", () => {
  const root = makeTree({ "node_modules/ui": { link: "../packages/ui" } });
  const modules = path.join(root, "node_modules");
  age(modules);
  const links = new InstalledLinks();
  expect(namesOf(links, root)).toEqual(["ui"]);
  symlinkSync("../packages/core", path.join(modules, "core"));
  age(modules);
  expect([namesOf(links, root), links.isStill()]).toEqual([["ui"], true]);
  utimesSync(modules, 2000, 2000);
  expect(links.isStill()).toBe(false);
  expect(namesOf(links, root)).toEqual(["core", "ui"]);
  expect(links.isStill()).toBe(true);
  rmSync(modules, { recursive: true });
  mkdirSync(modules);
  utimesSync(modules, 2000, 2000);
  expect(links.isStill()).toBe(false);
});

test("a folder that was just written is read again each time, as its time may not show the next write", () => {
  const root = makeTree({ "node_modules/ui": { link: "../packages/ui" } });
  const modules = path.join(root, "node_modules");
  // A clock may be a little behind that of the file system. Full seconds are set exactly.
  const soon = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000);
  const links = new InstalledLinks();
  const now = Date.now;
  Date.now = () => soon.getTime() - 50;
  try {
    utimesSync(modules, soon, soon);
    expect(namesOf(links, root)).toEqual(["ui"]);
    expect(links.isStill()).toBe(true);
    symlinkSync("../packages/core", path.join(modules, "core"));
    utimesSync(modules, soon, soon);
    expect(links.isStill()).toBe(false);
    expect(namesOf(links, root)).toEqual(["core", "ui"]);
    mkdirSync(path.join(modules, "@me"));
    utimesSync(modules, soon, soon);
    expect(links.isStill()).toBe(false);
    for (const aside of [100, 99]) {
      namesOf(links, root);
      Date.now = () => soon.getTime() + aside;
      namesOf(links, root);
      symlinkSync("../packages/x", path.join(modules, `x${aside}`));
      utimesSync(modules, soon, soon);
      expect([aside, namesOf(links, root).includes(`x${aside}`)]).toEqual([aside, aside === 99]);
    }
  } finally {
    Date.now = now;
  }
});

test("a changed path may be a link where packages are, if it is no folder with the files of one", () => {
  const root = makeTree({
    "app/node_modules/@me/ui": ui,
    "app/node_modules/@me/real": null,
    "app/node_modules/left-pad": null,
    "app/src/x": "",
  });
  const links = new InstalledLinks();
  links.of(path.join(root, "app"));
  const may = (name: string): boolean => links.mayBeLink(path.join(root, name));
  expect([may("app/node_modules"), may("other/node_modules"), may("app/node_modules/@me")]).toEqual([true, true, true]);
  expect([may("app/node_modules/@me/ui"), may("app/node_modules/gone"), may("app/node_modules/@new")]).toEqual([
    true,
    true,
    true,
  ]);
  expect([
    may("app/node_modules/left-pad"),
    may("app/node_modules/@me/real"),
    may("app/src/x"),
    may("app/@src"),
  ]).toEqual([false, false, false, false]);
});

test("folders that nobody asked for since are forgotten, with the scopes in them", () => {
  const root = makeTree({ "a/node_modules/@me/ui": ui, "b/node_modules/@me/ui": ui });
  const links = new InstalledLinks();
  for (const name of ["a", "b"]) links.of(path.join(root, name));
  const kept = path.join(root, "a/node_modules");
  links.keepOnly(new Set([kept]));
  expect(links.folders).toEqual([kept, path.join(kept, "@me")]);
});

test("a package needs what its manifest names in any of its lists of packages", () => {
  const manifest = {
    name: "app",
    dependencies: { a: "1" },
    devDependencies: { b: "1" },
    optionalDependencies: { c: "1" },
    peerDependencies: { d: "1" },
    scripts: { e: "1" },
  };
  const root = makeTree({ "package.json": JSON.stringify(manifest) });
  const links = new InstalledLinks();
  const entry = statEntry(root, "package.json")!;
  expect(links.neededBy(root, entry)).toEqual(["a", "b", "c", "d"]);
  // As long as the entry is the same the file did not change.
  rmSync(path.join(root, "package.json"));
  expect(links.neededBy(root, entry)).toEqual(["a", "b", "c", "d"]);
});

test.each(["", "{", "null", "[]", "1", '{"dependencies":null}', '{"dependencies":"ui"}'])(
  "a manifest names nothing where it is not of the usual form: %.30s",
  (text) => {
    const root = makeTree({ "package.json": text });
    expect(new InstalledLinks().neededBy(root, statEntry(root, "package.json")!)).toEqual([]);
  },
);

test("a manifest of a size that nobody wrote by hand is not read", () => {
  const root = makeTree();
  const text = '{"dependencies":{"a":"1"}}';
  const needs = (bytes: number): readonly string[] => {
    writeFileSync(path.join(root, "package.json"), text.padEnd(bytes));
    return new InstalledLinks().neededBy(root, statEntry(root, "package.json")!);
  };
  expect([needs(1024 * 1024), needs(1024 * 1024 + 1)]).toEqual([["a"], []]);
});
