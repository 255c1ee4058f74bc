import path from "node:path";
import { expect, test } from "vitest";
import { selectionOf, type ScannedInput } from "../../../src/plan/index.ts";
import { makeTree } from "../tree/fixture.ts";

const tests = (input: ScannedInput, files: readonly string[]): string[] => files.filter(selectionOf(input));

test("a folder selects what its filter names in it, existing or not, and nothing beside it", () => {
  const root = makeTree({ "a/x.ts": "1" });
  const at = (...names: string[]): string[] => names.map((name) => path.join(root, name));
  const files = at("a/x.ts", "a/new.ts", "a/deep/new.ts", "a/new.md", "a", "ab/x.ts", "x.ts", "b/a/x.ts");
  const input: ScannedInput = { kind: "directory", path: path.join(root, "a"), filter: { include: ["**/*.ts"] } };
  expect(tests(input, files)).toEqual(at("a/x.ts", "a/new.ts", "a/deep/new.ts"));
  expect(tests({ ...input, filter: { exclude: ["deep"] } }, files)).toEqual(at("a/x.ts", "a/new.ts", "a/new.md"));
  // A file whose path ends like the folder's is not in it.
  expect(tests({ ...input, filter: {} }, [`/elsewhere${root}/a/`])).toEqual([]);
});

test("a folder or a file that is given by a link selects by its real path", () => {
  const root = makeTree({ "a/x": "1", folder: { link: "a" }, file: { link: "a/x" } });
  const files = ["a/x", "folder/x", "file"].map((name) => path.join(root, name));
  const kinds = { folder: "directory", file: "file" } as const;
  for (const [name, kind] of Object.entries(kinds))
    expect(tests({ kind, path: path.join(root, name), filter: {} }, files)).toEqual([path.join(root, "a/x")]);
});

test("a file selects itself alone, also where it is not there", () => {
  const root = makeTree({ a: "1" });
  const at = (name: string): string => path.join(root, name);
  expect(tests({ kind: "file", path: at("a"), filter: {} }, [at("a"), at("b"), at("a/x"), root])).toEqual([at("a")]);
  expect(tests({ kind: "file", path: at("none"), filter: {} }, [at("none"), at("a")])).toEqual([at("none")]);
});

test("the whole file system may be an input", () => {
  const input: ScannedInput = { kind: "directory", path: "/", filter: { include: ["etc/*"] } };
  expect(tests(input, ["/etc/hosts", "/etc", "/usr/etc/hosts"])).toEqual(["/etc/hosts"]);
});
