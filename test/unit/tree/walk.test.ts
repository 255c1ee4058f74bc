import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import path from "node:path";
import { isMainThread } from "node:worker_threads";
import { expect, test } from "vitest";
import { listTree, scanTree } from "../../../src/tree/index.ts";
import { makeTree, withLockedFolder } from "./fixture.ts";

const paths = (root: string, filter?: Parameters<typeof listTree>[1]): string[] =>
  listTree(root, filter).entries.map((e) => e.path);

test("parents come before children and siblings are in byte order", () => {
  const root = makeTree({ "b/x": "", "b-c": "", B: "", é: "", "\uFB00": "", "😀": "", "a/z/y": "" });
  expect(paths(root)).toEqual(["B", "a", "a/z", "a/z/y", "b", "b/x", "b-c", "é", "\uFB00", "😀"]);
});

test("symlinks are listed with their text and never followed, loops and broken ones included", () => {
  const root = makeTree({ "d/f": "", loop: { link: "." }, broken: { link: "nowhere" }, dir: { link: "d" } });
  const links = listTree(root).entries.filter((entry) => entry.type === "symlink");
  expect(links.map((entry) => [entry.path, entry.linkTarget])).toEqual([
    ["broken", "nowhere"],
    ["dir", "d"],
    ["loop", "."],
  ]);
  expect(paths(root)).not.toContain("dir/f");
});

test("a root that is reached through a symlink is listed by its real path", () => {
  const root = makeTree({ "real/f": "x" });
  symlinkSync(path.join(root, "real"), path.join(root, "alias"));
  expect(listTree(path.join(root, "alias")).root).toBe(listTree(path.join(root, "real")).root);
});

test("pipes, sockets and devices are left out", () => {
  const root = makeTree({ f: "" });
  execFileSync("mkfifo", [path.join(root, "pipe")]);
  expect(paths(root)).toEqual(["f"]);
});

// Rights are a process's: a thread, as a mutation run has it, may not change them.
test.runIf(isMainThread)("a folder that cannot be read is named with the reason, the rest is listed", () => {
  withLockedFolder((root) => {
    const listing = listTree(root);
    expect(listing.entries.map((entry) => entry.path)).toEqual(["locked", "open", "open/f"]);
    expect(listing.unreadable).toEqual([{ path: "locked", reason: expect.stringContaining("EACCES") }]);
    expect(listTree(root, { exclude: ["locked"] }).unreadable).toEqual([]);
  });
});

test("a name that is not UTF-8 is reported, not dropped", () => {
  const root = makeTree({ ok: "" });
  execFileSync("sh", ["-c", 'touch "$(printf "bad\\377")"'], { cwd: root });
  const listing = listTree(root);
  expect(listing.entries.map((entry) => entry.path)).toEqual(["ok"]);
  expect(listing.unreadable).toEqual([{ path: "bad\uFFFD", reason: "its name is not valid UTF-8" }]);
});

test("a missing folder is an error that names it", () => {
  expect(() => listTree("/nonexistent/folder")).toThrow(/cannot be read/);
});

test("one scan for many selections gives each what a listing of its own gives", () => {
  const root = makeTree({ "a/x": "1", "a/n/y": "2", "b/z": "3", "b/n/w": "4", top: "5" });
  const selections = [
    { path: "", filter: { exclude: ["**/n"] } },
    { path: "a" },
    { path: "", filter: { include: ["**/w"] } },
    { path: "b/z" },
  ];
  const scan = scanTree(root, selections);
  const selected = scan.selections.map((indices) => Array.from(indices, (index) => scan.listing.entries[index]!.path));
  expect(selected).toEqual([["a", "a/x", "b", "b/z", "top"], ["a/n", "a/n/y", "a/x"], ["b", "b/n", "b/n/w"], ["b/z"]]);
  expect(scan.listing.entries.map((entry) => entry.path)).toEqual([
    "a",
    "a/n",
    "a/n/y",
    "a/x",
    "b",
    "b/n",
    "b/n/w",
    "b/z",
    "top",
  ]);
});
