import { rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { listTree, TreeScanner } from "../../../src/tree/index.ts";
import { StatAhead } from "../../../src/tree/scan/stat-ahead.ts";
import { makeTree } from "./fixture.ts";

const names = ["a", "b/a", "b/ü", "b/z", "c d", "gone", "link", "z"];

test("a scan with a thread ahead is the scan without it, also where files went, came or became links since", async () => {
  const root = makeTree(Object.fromEntries(names.map((name) => [name, name])));
  const known = listTree(root)
    .entries.filter((entry) => entry.type === "file")
    .map((entry) => entry.path);
  rmSync(path.join(root, "gone"));
  rmSync(path.join(root, "link"));
  symlinkSync("a", path.join(root, "link"));
  const ahead = new StatAhead(root, ["A", ...known]);
  await ahead.ended;
  const seen: string[] = [];
  const file = ahead.file.bind(ahead);
  ahead.file = (name) => {
    const entry = file(name);
    if (entry !== undefined) seen.push(name);
    return entry;
  };
  const scan = new TreeScanner(root, [{ path: "" }]).scan(undefined, undefined, new Map([[root, ahead]]));
  expect(scan.listing).toEqual(listTree(root));
  expect(seen.sort()).toEqual(["a", "b/a", "b/z", "b/ü", "c d", "z"]);
});

test("what the thread has not seen, or does not know, the scan looks at itself", () => {
  const root = makeTree({ a: "1", b: "2" });
  const ahead = new StatAhead(root, ["a"]);
  ahead.stop();
  expect(new TreeScanner(root, [{ path: "" }]).scan(undefined, undefined, new Map([[root, ahead]])).listing).toEqual(
    listTree(root),
  );
});
