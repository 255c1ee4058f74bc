import { mkdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { diffManifests, ProjectScanner, type ScannedInput } from "../../../src/plan/index.ts";
import { ContentHasher } from "../../../src/tree/index.ts";
import { makeTree, seeded } from "../tree/fixture.ts";

/** A project of one folder, with what changed in it since the last look; in words, as they are told. */
function rig(files: Parameters<typeof makeTree>[0]) {
  const root = makeTree(files);
  const input: ScannedInput = { kind: "directory", path: root, filter: {} };
  const scanner = new ProjectScanner([input], new ContentHasher());
  let before = scanner.scan();
  before.digest(input);
  const edit = (name: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  };
  const remove = (name: string): void => rmSync(path.join(root, name), { recursive: true });
  const changes = (): string[] | undefined => {
    const now = scanner.scan();
    const found = now.changesSince(before, input)?.map(({ path: at, change }) => `${at} ${change}`);
    now.digest(input);
    before = now;
    return found;
  };
  return { root, edit, remove, changes };
}

test("files that came, changed and went are told in the order of their paths", () => {
  const { edit, remove, changes } = rig({ a: "1", b: "1", c: "1", d: "1", e: "1" });
  remove("a");
  remove("b");
  edit("c", "2");
  edit("ca", "new");
  remove("e");
  edit("f", "new");
  expect(changes()).toEqual(["a removed", "b removed", "c changed", "ca added", "e removed", "f added"]);
});

test("only what came last, or went last, is told", () => {
  const { edit, remove, changes } = rig({ a: "1", b: "1" });
  edit("c", "new");
  expect(changes()).toEqual(["c added"]);
  remove("b");
  remove("c");
  expect(changes()).toEqual(["b removed", "c removed"]);
  remove("a");
  expect(changes()).toEqual(["a removed"]);
  edit("z", "new");
  expect(changes()).toEqual(["z added"]);
});

test("a file with the same bytes as before did not change beside one that did", () => {
  const { root, edit, changes } = rig({ a: "1", b: "1", c: "1" });
  utimesSync(path.join(root, "a"), 1, 1);
  edit("b", "2");
  expect(changes()).toEqual(["b changed"]);
});

test("where no difference shows it is unknown what changed", () => {
  const { root, changes } = rig({ a: "1" });
  utimesSync(path.join(root, "a"), 1, 1);
  expect(changes()).toBe(undefined);
});

test("what a file was before is unknown if nothing had read it then", () => {
  const root = makeTree({ a: "1" });
  const input: ScannedInput = { kind: "directory", path: root, filter: {} };
  const scanner = new ProjectScanner([input], new ContentHasher());
  const before = scanner.scan();
  writeFileSync(path.join(root, "a"), "2");
  writeFileSync(path.join(root, "b"), "2");
  expect(scanner.scan().changesSince(before, input)).toBe(undefined);
});

test("a file that becomes a folder or a link with its name changed", () => {
  const { root, edit, remove, changes } = rig({ a: "1", b: "1" });
  remove("a");
  mkdirSync(path.join(root, "a"));
  remove("b");
  symlinkSync("a", path.join(root, "b"));
  expect(changes()).toEqual(["a changed", "b changed"]);
  remove("a");
  edit("a/x", "new");
  expect(changes()).toEqual(["a/x added"]);
});

test("a folder is not told beside what is in it, whichever names sort between them", () => {
  const { edit, remove, changes } = rig({ z: "1" });
  edit("a/x", "new");
  edit("a.b", "new");
  edit("a-b/c/y", "new");
  expect(changes()).toEqual(["a/x added", "a-b/c/y added", "a.b added"]);
  remove("a");
  remove("a-b");
  remove("a.b");
  expect(changes()).toEqual(["a/x removed", "a-b/c/y removed", "a.b removed"]);
});

test("after any edits the changes are those between the two manifests", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed);
    const root = makeTree({ "a/x": "1", "b/x": "1", c: "1" });
    const input: ScannedInput = { kind: "directory", path: root, filter: {} };
    const scanner = new ProjectScanner([input], new ContentHasher());
    let before = scanner.scan();
    let manifest = before.manifest(input);
    for (let round = 0; round < 8; round++) {
      for (let edits = 1 + random(4); edits > 0; edits--) {
        const at = path.join(root, ["a", "b", "c"][random(3)]!);
        if (random(3) === 0) rmSync(at, { recursive: true, force: true });
        else if (random(4) === 0) {
          rmSync(at, { recursive: true, force: true });
          writeFileSync(at, String(random(3)));
        } else {
          if (random(2) === 0 || statSync(at, { throwIfNoEntry: false })?.isFile() === true)
            rmSync(at, { recursive: true, force: true });
          mkdirSync(at, { recursive: true });
          writeFileSync(path.join(at, ["x", "y", "z"][random(3)]!), String(random(3)));
        }
      }
      const now = scanner.scan();
      const found = now.changesSince(before, input);
      const manifestNow = now.manifest(input);
      const expected = diffManifests(manifest, manifestNow);
      expect(found ?? [], `seed ${seed} round ${round}`).toEqual(expected);
      [before, manifest] = [now, manifestNow];
    }
  }
});
