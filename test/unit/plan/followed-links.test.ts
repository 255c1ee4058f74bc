import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ProjectScanner, type ScannedInput } from "../../../src/plan/index.ts";
import { namedInputs } from "../../../src/plan/inputs/named-inputs.ts";
import { ContentHasher } from "../../../src/tree/index.ts";
import { makeTree } from "../tree/fixture.ts";

function rig(inputs: string[], links: Record<string, string>, files: Record<string, string> = {}) {
  const root = makeTree({
    "libs/v1/x": "one",
    "libs/v2/x": "two",
    "apps/web/a.ts": "1",
    "packages/ui/b.ts": "1",
    "packages/core/c.ts": "1",
    "other/d": "1",
    ...files,
  });
  for (const [link, target] of Object.entries(links)) {
    mkdirSync(path.dirname(path.join(root, link)), { recursive: true });
    symlinkSync(target, path.join(root, link));
  }
  const named: ScannedInput[] = namedInputs(inputs, root, []);
  const scanner = new ProjectScanner(named, new ContentHasher());
  const seen = (): string => {
    const snapshot = scanner.scan();
    return named.map((input) => snapshot.digest(input)).join(" ");
  };
  /** Whether a write there makes another state. */
  const reacts = (file: string): boolean => {
    const before = seen();
    writeFileSync(path.join(root, file), `${Math.random()} ${before}`);
    return seen() !== before;
  };
  return { root, named, scanner, seen, reacts };
}

test.each<[string, string[], Record<string, string>]>([
  ["a folder that is a link", ["libs/current/"], { "libs/current": "v1" }],
  ["a file behind a link", ["libs/current/x"], { "libs/current": "v1" }],
  ["a wildcard behind a link", ["libs/current/*"], { "libs/current": "v1" }],
  ["a wildcard for a link", ["libs/cur*/**"], { "libs/current": "v1" }],
  ["a wildcard above a link", ["lib?/current/x"], { "libs/current": "v1" }],
  ["files by their kind in folders with a link", ["apps/**/x"], { "apps/web/lib": "../../libs/v1" }],
  [
    "files by their kind behind links behind links",
    ["apps/**/x"],
    { "apps/lib": "web/lib", "apps/web/lib": "../../libs/v1" },
  ],
  ["one folder between", ["apps/*/lib/*"], { "apps/web/lib": "../../libs/v1" }],
  ["a link among the files of a folder", ["apps/"], { "apps/web/lib": "../../libs/v1" }],
  ["a link that leads to a link", ["apps/"], { "apps/web/lib": "../../libs/current", "libs/current": "v1" }],
  [
    "a link in what a link leads to",
    ["apps/"],
    { "apps/web/ui": "../../packages/ui", "packages/ui/lib": "../../libs/v1" },
  ],
])("%s counts by what it leads to, and by nothing else", (_what, inputs, links) => {
  const { root, reacts, seen, scanner } = rig(inputs, links);
  expect(reacts("libs/v1/x")).toBe(true);
  expect([reacts("libs/v2/x"), reacts("other/d")]).toEqual([false, false]);
  expect(scanner.concerns(path.join(root, "libs/v1/x"))).toBe(true);
  expect(scanner.concerns(path.join(root, "other/d"))).toBe(false);
  const link = Object.keys(links).find((name) => links[name]!.includes("v1"))!;
  const before = seen();
  rmSync(path.join(root, link));
  symlinkSync(links[link]!.replace("v1", "v2"), path.join(root, link));
  expect(seen()).not.toBe(before);
  expect([reacts("libs/v2/x"), reacts("libs/v1/x")]).toEqual([true, false]);
});

test("loops are cut, what is outside or nowhere is not followed, and `!` takes out of what is", () => {
  const { reacts, seen } = rig(["apps/", "!**/x"], {
    "apps/up": "../..",
    "apps/self": ".",
    "apps/web/twin": "../twin",
    "apps/twin": "web/twin",
    "apps/gone": "nowhere",
    "apps/out": "/tmp",
    "apps/lib": "../libs/v1",
  });
  seen();
  expect([reacts("other/d"), reacts("libs/v1/x"), reacts("libs/v1/y"), reacts("apps/web/a.ts")]).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

test("each link on the way to a target counts, and a target that is not there yet", () => {
  const { root, reacts, seen, scanner } = rig(["apps/"], {
    "apps/lib": "../one",
    one: "two",
    two: "libs/v1",
    "apps/gone": "../made/later",
  });
  seen();
  for (const file of ["one", "two", "made/later", "libs/v1/new"])
    expect([file, scanner.concerns(path.join(root, file))]).toEqual([file, true]);
  rmSync(path.join(root, "two"));
  symlinkSync("libs/v2", path.join(root, "two"));
  scanner.scan(new Set([path.join(root, "two")]));
  expect([reacts("libs/v2/x"), reacts("libs/v1/x")]).toEqual([true, false]);
  const before = seen();
  mkdirSync(path.join(root, "made/later"), { recursive: true });
  expect(seen()).not.toBe(before);
  expect(reacts("made/later/f")).toBe(true);
});

test("a link that a wildcard may pass is a reason to look when it comes, leads elsewhere and goes", async () => {
  const { root, reacts, seen, scanner } = rig(["apps/**/x"], {});
  const link = path.join(root, "apps/web/lib");
  const snapshot = scanner.scan();
  expect(reacts("libs/v1/x")).toBe(false);
  symlinkSync("../../libs/v1", link);
  expect(scanner.concerns(link)).toBe(true);
  expect(await scanner.isStill(snapshot, new AbortController().signal)).toBe(false);
  scanner.scan(new Set([link]));
  expect([reacts("libs/v1/x"), reacts("libs/v1/y")]).toEqual([true, false]);
  const before = seen();
  rmSync(link);
  expect(scanner.concerns(link)).toBe(true);
  expect(seen()).not.toBe(before);
  expect(reacts("libs/v1/x")).toBe(false);
});

test("`!` takes a link out that a wildcard would pass, loops are cut there, too", () => {
  const { reacts, scanner } = rig(["apps/**/*.ts", "!apps/lib/"], {
    "apps/lib": "../packages/ui",
    "apps/web/core": "../../packages/core",
    "packages/core/back": "../../apps",
    "apps/web/self": ".",
    "apps/up": "../..",
  });
  expect([reacts("packages/core/c.ts"), reacts("packages/ui/b.ts"), reacts("other/e.ts")]).toEqual([
    true,
    false,
    false,
  ]);
  expect(scanner.scan().size).toBe(scanner.scan().size);
});

test("two packages that link to each other count once each", () => {
  const { reacts, scanner } = rig(["packages/ui/"], { "packages/ui/core": "../core", "packages/core/ui": "../ui" });
  expect([reacts("packages/core/c.ts"), reacts("packages/ui/b.ts")]).toEqual([true, true]);
  expect(scanner.scan().size).toBe(scanner.scan().size);
});

const ui = "../../../../packages/ui";

test.each<[string, string[], Record<string, string>, Record<string, string>]>([
  ["pnpm", ["apps/web/"], { "apps/web/node_modules/@me/ui": ui }, {}],
  ["pnpm, by a wildcard", ["apps/web/**"], { "apps/web/node_modules/@me/ui": ui }, {}],
  ["pnpm, named", ["apps/web/node_modules/@me/ui/"], { "apps/web/node_modules/@me/ui": ui }, {}],
  ["pnpm, without a scope", ["apps/web/"], { "apps/web/node_modules/ui": "../../../packages/ui" }, {}],
  [
    "yarn, npm and bun",
    ["apps/web/"],
    { "node_modules/@me/ui": "../../packages/ui", "node_modules/@me/core": "../../packages/core" },
    { "apps/web/package.json": '{"devDependencies":{"@me/ui":"*","left-pad":"1"}}' },
  ],
])("in a workspace of %s a package counts with those of the project that it uses", (_what, inputs, links, files) => {
  const { root, reacts, seen, scanner } = rig(inputs, links, files);
  expect(seen()).not.toContain("missing");
  expect(reacts("packages/ui/b.ts")).toBe(true);
  expect([reacts("packages/core/c.ts"), reacts("other/d")]).toEqual([false, false]);
  expect(scanner.concerns(path.join(root, "packages/ui/new.ts"))).toBe(true);
});

test("what a package of a workspace uses by way of another one counts, a loop once, what is installed not", () => {
  const { reacts, scanner, root } = rig(["apps/web/"], {
    "apps/web/node_modules/@me/ui": ui,
    "apps/web/node_modules/left-pad": "../../../node_modules/.pnpm/left-pad@1/node_modules/left-pad",
    "node_modules/.pnpm/left-pad@1/node_modules/left-pad": "../../../../other",
    "packages/ui/node_modules/@me/core": "../../../core",
    "packages/core/node_modules/@me/ui": "../../../ui",
    "packages/core/node_modules/@me/all": "../../../..",
  });
  expect([reacts("packages/ui/b.ts"), reacts("packages/core/c.ts"), reacts("other/d")]).toEqual([true, true, false]);
  expect(reacts("packages/ui/node_modules/x.js")).toBe(false);
  expect(scanner.scan().size).toBe(scanner.scan().size);
  const watched = scanner
    .scan()
    .folders()
    .map((folder) => path.relative(root, folder.path));
  expect(watched).toEqual(
    expect.arrayContaining(["apps/web/node_modules", "apps/web/node_modules/@me", "packages/ui"]),
  );
});

test("`!` takes a package of the workspace out again", () => {
  const { reacts } = rig(["apps/web/", "!packages/ui/"], { "apps/web/node_modules/@me/ui": ui });
  expect(reacts("packages/ui/b.ts")).toBe(false);
});

test("a link that an install makes, moves or takes away is seen, and is a reason to look", async () => {
  const { root, reacts, scanner } = rig(["apps/web/"], {});
  const modules = path.join(root, "apps/web/node_modules");
  expect(reacts("packages/ui/b.ts")).toBe(false);
  mkdirSync(path.join(modules, "@me"), { recursive: true });
  expect(scanner.concerns(modules)).toBe(true);
  scanner.scan(new Set([modules]));
  const link = path.join(modules, "@me/ui");
  const snapshot = scanner.scan();
  symlinkSync(ui, link);
  expect(scanner.concerns(link)).toBe(true);
  expect(await scanner.isStill(snapshot, new AbortController().signal)).toBe(false);
  expect([reacts("packages/ui/b.ts"), reacts("packages/core/c.ts")]).toEqual([true, false]);
  rmSync(link);
  symlinkSync("../../../../packages/core", link);
  expect([reacts("packages/ui/b.ts"), reacts("packages/core/c.ts")]).toEqual([false, true]);
  mkdirSync(path.join(modules, "left-pad"));
  expect(scanner.concerns(path.join(modules, "left-pad"))).toBe(false);
  rmSync(modules, { recursive: true });
  expect(reacts("packages/core/c.ts")).toBe(false);
});

const thousand = Array.from({ length: 1000 }, (_, index) => `many/l${index}`);

test.each<[string, string[], string, number]>([
  ["to files, where all is named", ["./"], "../libs/v1/x", 0],
  ["to files, where files of a kind are", ["**/*.ts"], "../apps/web/a.ts", 0],
  ["to a folder that is named with all in it", ["many/", "libs/"], "../libs/v1", 0],
  ["to a folder in which the same entry looks, the links themselves", ["**/*.ts"], "../apps/web", 1000],
  ["to a folder that nothing names", ["many/"], "../libs/v1", 1],
])("a thousand links %s make no more patterns than are needed", (_what, inputs, target, needed) => {
  const { scanner, named } = rig(inputs, Object.fromEntries(thousand.map((link) => [link, target])));
  scanner.scan();
  const added = named.map((input) => scanner.effective(input).include!.length - input.filter.include!.length);
  expect(added).toEqual([needed]);
});

test("a link to a file is an input where an entry names it, not where one only passes it", () => {
  const links = { "apps/web/LICENSE": "../../other/d", "apps/web/e.ts": "../../libs/v1/x" };
  const { root, reacts, seen } = rig(["**/*.ts"], links);
  expect([reacts("other/d"), reacts("libs/v1/x")]).toEqual([false, true]);
  const before = seen();
  rmSync(path.join(root, "apps/web/LICENSE"));
  expect(seen()).toBe(before);
  // What is a folder from now on has files in it.
  symlinkSync("../../libs", path.join(root, "apps/web/LICENSE"));
  expect(seen()).not.toBe(before);
});

test("ten thousand entries are looked through once, not once for each", () => {
  const entries = Array.from({ length: 5000 }, (_, index) => [`libs/a*b${index}`, `!libs/c*d${index}`]).flat();
  const before = process.cpuUsage();
  const { reacts } = rig(["libs/current/", ...entries], { "libs/current": "v1" });
  expect([reacts("libs/v1/x"), reacts("libs/v2/x")]).toEqual([true, false]);
  expect(process.cpuUsage(before).user).toBeLessThan(10_000_000);
}, 120_000);
