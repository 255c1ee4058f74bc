import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ProjectScanner, type ScannedInput } from "../../../src/plan/index.ts";
import { namedInputs } from "../../../src/plan/named-inputs.ts";
import { ContentHasher } from "../../../src/tree/index.ts";
import { makeTree } from "../tree/fixture.ts";

function rig(inputs: string[], links: Record<string, string>) {
  const root = makeTree({
    "libs/v1/x": "one",
    "libs/v2/x": "two",
    "apps/web/a.ts": "1",
    "packages/ui/b.ts": "1",
    "packages/core/c.ts": "1",
    "other/d": "1",
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
  return { root, scanner, seen, reacts };
}

test.each<[string, string[], Record<string, string>]>([
  ["a folder that is a link", ["libs/current/"], { "libs/current": "v1" }],
  ["a file behind a link", ["libs/current/x"], { "libs/current": "v1" }],
  ["a wildcard behind a link", ["libs/current/*"], { "libs/current": "v1" }],
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

test("two packages that link to each other count once each", () => {
  const { reacts, scanner } = rig(["packages/ui/"], { "packages/ui/core": "../core", "packages/core/ui": "../ui" });
  expect([reacts("packages/core/c.ts"), reacts("packages/ui/b.ts")]).toEqual([true, true]);
  expect(scanner.scan().size).toBe(scanner.scan().size);
});
