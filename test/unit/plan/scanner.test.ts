import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ProjectScanner, type ScannedInput } from "../../../src/plan/index.ts";
import { ContentHasher, ScanRecorder } from "../../../src/tree/index.ts";
import { makeTree } from "../tree/fixture.ts";

const folder = (...at: string[]): ScannedInput => ({ kind: "directory", path: path.join(...at), filter: {} });
const following = (root: string, ...include: string[]): ScannedInput => ({
  ...folder(root),
  follow: true,
  filter: { include },
});
const scannerOf = (...inputs: ScannedInput[]): ProjectScanner => new ProjectScanner(inputs, new ContentHasher());
const { signal } = new AbortController();

test("a scan after hints sees what they name, and the rest as it was", () => {
  const root = makeTree({ "a/x": "1", "b/x": "1" });
  const [a, b] = [folder(root, "a"), folder(root, "b")];
  const scanner = scannerOf(a, b);
  const before = scanner.scan();
  writeFileSync(path.join(root, "a/new"), "");
  writeFileSync(path.join(root, "b/new"), "");
  const hinted = scanner.scan(new Set([path.join(root, "a/new")]));
  expect([hinted.count(a) - before.count(a), hinted.count(b) - before.count(b)]).toEqual([1, 0]);
  const all = scanner.scan();
  expect([all.count(a), all.count(b)]).toEqual([2, 2]);
});

test("a link that is hinted and leads elsewhere makes everything be scanned again", () => {
  const root = makeTree({ "one/x": "1", "two/x": "1", "two/y": "1", link: { link: "one" } });
  const input = folder(root, "link");
  const scanner = scannerOf(input);
  expect(scanner.scan().count(input)).toBe(1);
  rmSync(path.join(root, "link"));
  symlinkSync("two", path.join(root, "link"));
  expect(scanner.concerns(path.join(root, "link"))).toBe(true);
  expect(scanner.scan(new Set([path.join(root, "other")])).count(input)).toBe(1);
  expect(scanner.scan(new Set([path.join(root, "link")])).count(input)).toBe(2);
  expect(scanner.concerns(path.join(root, "two/new"))).toBe(true);
  expect(scanner.concerns(path.join(root, "one/new"))).toBe(false);
});

test("each folder is announced just before it is read, also those that are read because of a followed link", () => {
  const root = makeTree({ "a/b/x": "1", "c/y": "1", "a/link": { link: "../c" } });
  const scanner = scannerOf(following(root, "a/**"));
  const read = (changed?: Set<string>): string[] => {
    const folders: string[] = [];
    scanner.scan(changed, (at) => folders.push(path.relative(root, at.path)));
    return [...new Set(folders)].sort();
  };
  expect(read()).toEqual(["", "a", "a/b", "c"]);
  writeFileSync(path.join(root, "a/b/new"), "");
  expect(read(new Set([path.join(root, "a/b/new")]))).toEqual(["a/b"]);
});

test("the targets of followed links are in the filter of an input once they are followed, which needs no file", () => {
  const root = makeTree({ "a/link": { link: "../c" }, "c/link": { link: "../d" }, "d/y": "1", "e/z": "1" });
  const [input, other] = [following(root, "a/**"), folder(root, "e")];
  const scanner = scannerOf(input, other);
  expect(scanner.effective(input)).toEqual(input.filter);
  scanner.followLinks();
  expect(scanner.effective(input).include).toEqual(["c", "c/**", "c/link", "d", "d/**", "a/**"]);
  expect(scanner.effective(other)).toBe(other.filter);
  const scanned = scannerOf(input, other);
  scanned.scan();
  expect(scanned.effective(input)).toEqual(scanner.effective(input));
});

test("links of an input that follows none are not followed", () => {
  const root = makeTree({ "a/link": { link: "../c" }, "c/y": "1" });
  const input: ScannedInput = { ...folder(root), filter: { include: ["a/**"] } };
  const scanner = scannerOf(input);
  scanner.followLinks();
  expect(scanner.scan().count(input)).toBe(2);
  expect(scanner.effective(input)).toBe(input.filter);
});

test("a chain of links is followed to its end, and one that is longer than anybody would make ends somewhere", () => {
  const files: Parameters<typeof makeTree>[0] = { "d0/x": "1" };
  for (let at = 0; at < 12; at++) files[`d${at}/next`] = { link: `../d${at + 1}` };
  const root = makeTree({ ...files, "d12/last": "1" });
  const input = following(root, "d0/**");
  const names = (scanner: ProjectScanner): string[] => [...scanner.scan().manifest(input).keys()];
  expect(names(scannerOf(input))).toContain("d12/last");
  for (let at = 12; at < 40; at++) {
    mkdirSync(path.join(root, `d${at}`), { recursive: true });
    symlinkSync(`../d${at + 1}`, path.join(root, `d${at}/next`));
  }
  const scanner = scannerOf(input);
  scanner.followLinks();
  const include = scanner.effective(input).include!;
  expect(include).toContain("d16");
  expect(include).not.toContain("d20");
});

test("scanners of the same inputs have the same key, and those that also follow links another one", () => {
  const root = makeTree({ "a/x": "1" });
  const key = (...inputs: ScannedInput[]): string => JSON.stringify(scannerOf(...inputs).key);
  const input = folder(root);
  expect(key({ ...input })).toBe(key(input));
  expect(new Set([key(input), key({ ...input, follow: true }), key(folder(root, "a")), key()]).size).toBe(4);
});

test("a recorded scan is in doubt if a link that inputs are read through moved since they were arranged", () => {
  const root = makeTree({ "one/x": "1", two: null, link: { link: "one" } });
  const input = folder(root, "link");
  const doubt = (scanner: ProjectScanner): string | undefined => {
    const seen = new ScanRecorder();
    scanner.scanNoting(seen);
    return seen.doubt;
  };
  const [still, moved] = [scannerOf(input), scannerOf(input)];
  expect(doubt(still)).not.toBe("a link that inputs are read through moved");
  rmSync(path.join(root, "link"));
  symlinkSync("two", path.join(root, "link"));
  expect(doubt(moved)).toBe("a link that inputs are read through moved");
  expect(moved.scanNoting(undefined).count(input)).toBe(0);
});

test("a scan of an earlier process that turns out to be needed after all is recorded", () => {
  const root = makeTree({ "a/x": "1" });
  const input = folder(root);
  const seen = new ScanRecorder();
  const snapshot = scannerOf(input).asFound([undefined], seen);
  expect(seen.result().list.toString()).not.toContain(root);
  snapshot.digest(input);
  expect(seen.result().list.toString()).toContain(`D${root}\0`);
});

test("an ignore file that is hinted decides at once which paths concern the inputs", () => {
  const root = makeTree({ "a/x.log": "1" });
  const scanner = scannerOf({ ...folder(root), filter: { include: ["**/*.log"], gitignore: true } });
  scanner.scan();
  expect(scanner.concerns(path.join(root, "a/y.log"))).toBe(true);
  writeFileSync(path.join(root, ".gitignore"), "*.log\n");
  const hints = new Set([path.join(root, ".gitignore")]);
  scanner.scan(hints);
  expect(scanner.concerns(path.join(root, "a/y.log"))).toBe(false);
  rmSync(path.join(root, ".gitignore"));
  expect(scanner.concerns(path.join(root, "a/y.log"))).toBe(false);
  scanner.scan();
  expect(scanner.concerns(path.join(root, "a/y.log"))).toBe(true);
});

test("inputs are not still where a link moved, though what it leads to is equal", async () => {
  const root = makeTree({ one: null, two: null, link: { link: "one" } });
  const scanner = scannerOf(folder(root, "link"));
  const before = scanner.scan();
  expect(await scanner.isStill(before, signal)).toBe(true);
  rmSync(path.join(root, "link"));
  symlinkSync("two", path.join(root, "link"));
  expect(await scanner.isStill(before, signal)).toBe(false);
});

test("inputs are not still where a link that entries pass leads elsewhere", async () => {
  const root = makeTree({ "a/x": "1", "b/x": "1", "c/x": "1", link: { link: "b" } });
  const scanner = scannerOf(following(root, "**/x"));
  const before = scanner.scan();
  expect(await scanner.isStill(before, signal)).toBe(true);
  rmSync(path.join(root, "link"));
  symlinkSync("c", path.join(root, "link"));
  expect(await scanner.isStill(before, signal)).toBe(false);
  expect(await scanner.isStill(scanner.scan(), signal)).toBe(true);
});

test("a long look yields to others, and ends at their word only", { timeout: 60_000 }, async () => {
  const root = makeTree(Object.fromEntries(Array.from({ length: 3000 }, (_none, index) => [`d${index}/f`, "1"])));
  const scanner = scannerOf(folder(root));
  const before = scanner.scan();
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  expect(await scanner.isStill(before, signal)).toBe(true);
  clearInterval(counting);
  expect(turns).toBeGreaterThan(0);
  expect(await scanner.isStill(before, AbortSignal.abort())).toBe(undefined);
});

/** What counts in `project`, scanned with the folder that it lies in, or alone. */
function nested(files: Parameters<typeof makeTree>[0], include: string[], isAlone: boolean): string[] {
  const root = makeTree(
    Object.fromEntries(Object.entries(files!).map(([name, content]) => [`project/${name}`, content])),
  );
  const beside = { ...folder(root), filter: { include: ["beside/**"] } };
  const input = following(path.join(root, "project"), ...include);
  const scanner = scannerOf(...(isAlone ? [input] : [beside, input]));
  return [...scanner.scan().manifest(input).keys()];
}

test.each<[string, Parameters<typeof makeTree>[0], string[], string]>([
  ["links", { "a/link": { link: "../c" }, "c/y": "1" }, ["a/**"], "c/y"],
  ["links that entries pass", { link: { link: "c" }, "c/y": "1" }, ["*/y"], "c/y"],
  ["links that entries name", { link: { link: "c" }, "c/y": "1" }, ["link/**"], "c/y"],
  [
    "packages of a selected folder",
    { "app/node_modules/ui": { link: "../../ui" }, "ui/y": "1", "app/x": "1" },
    ["app/**"],
    "ui/y",
  ],
  [
    "packages of the project that a manifest names",
    { "node_modules/ui": { link: "../ui" }, "ui/y": "1", "app/package.json": '{"dependencies":{"ui":"1"}}' },
    ["app/**"],
    "ui/y",
  ],
])("of an input in a larger scan %s are followed as of one that is scanned alone", (_what, files, include, found) => {
  const together = nested(files, include, false);
  expect(together).toContain(found);
  expect(together).toEqual(nested(files, include, true));
});

test("packages of folders beside an input, or above it, are not its own", () => {
  const ui = { "ui/y": "1", "project/app/package.json": '{"dependencies":{"ui":"1"}}' };
  const names = (files: Parameters<typeof makeTree>[0]): string[] => {
    const root = makeTree({ ...ui, ...files });
    const input = following(path.join(root, "project"), "app/**");
    return [...scannerOf(folder(root), input).scan().manifest(input).keys()];
  };
  const own = ["app", "app/package.json"];
  expect(names({ "node_modules/ui": { link: "../project/lib" }, "project/lib/y": "1" })).toEqual(own);
  expect(names({ "project-two/node_modules/ui": { link: "../../project/lib" }, "project/lib/y": "1" })).toEqual(own);
  expect(names({ "project/node_modules/ui": { link: "../lib" }, "project/lib/y": "1" })).toEqual([
    ...own,
    "lib",
    "lib/y",
    "node_modules",
    "node_modules/ui",
  ]);
});

test("of packages of one name the one nearest to the manifest counts, and only what a manifest names", () => {
  const root = makeTree({
    "node_modules/ui": { link: "../far" },
    "node_modules/other": { link: "../other" },
    "apps/node_modules/ui": { link: "../../near" },
    "apps/web/package.json": '{"dependencies":{"ui":"1","core":"1"}}',
    "apps/web/not-package.json": '{"dependencies":{"other":"1"}}',
    "apps/web/sub/package.json/x": "1",
    "far/y": "1",
    "near/y": "1",
    "other/y": "1",
  });
  const input = following(root, "apps/web/**");
  const names = [...scannerOf(input).scan().manifest(input).keys()];
  expect([names.includes("near/y"), names.includes("far/y"), names.includes("other/y")]).toEqual([true, false, false]);
});

test("the manifest of the project itself counts where it is selected", () => {
  const root = makeTree({
    "node_modules/ui": { link: "../ui" },
    "package.json": '{"dependencies":{"ui":"1"}}',
    "ui/y": "1",
    "app/x": "1",
  });
  const names = (...include: string[]): string[] => {
    const input = following(root, ...include);
    return [...scannerOf(input).scan().manifest(input).keys()];
  };
  expect(names("app/**", "package.json")).toContain("ui/y");
  expect(names("app/**")).not.toContain("ui/y");
});
