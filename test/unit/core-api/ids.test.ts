import { expect, it } from "vitest";
import { IdRegistry, recipeDigest } from "../../../src/core-api/values/ids.ts";
import { type Directory, type Tree } from "../../../src/core-api/values/values.ts";
import { edited, scratch } from "../../../src/core-api/values/rooted.ts";

const written = (base: Tree, path: string, contents = ""): Tree =>
  edited(base, { action: "write", path, contents, mode: 0o644 });
const directory = (tree: Tree): Directory => ({ type: "Directory", tree, path: "/" });

it("gives equal recipes equal digests, whatever the order of their fields", () => {
  expect(recipeDigest({ a: 1, b: { c: [1, "x"] } })).toBe(recipeDigest({ b: { c: [1, "x"] }, a: 1 }));
});

it("tells recipes apart by every field, name and order of list items", () => {
  const recipes = [
    { a: 1 },
    { a: "1" },
    { b: 1 },
    { a: [1, 2] },
    { a: [2, 1] },
    { a: { 0: 1, 1: 2 } },
    { a: null },
    {},
  ];
  expect(new Set(recipes.map(recipeDigest)).size).toBe(recipes.length);
});

it("takes a field that is undefined for one that is not there", () => {
  expect(recipeDigest({ a: 1, b: undefined })).toBe(recipeDigest({ a: 1 }));
});

it("digests a chain of twenty thousand edits without exhausting the stack", () => {
  let tree = scratch;
  for (let index = 0; index < 20_000; index++) tree = written(tree, `/f${index}`);
  expect(recipeDigest(tree)).toMatch(/^[0-9a-f]{64}$/);
});

it("gives an object back by its id, and checks its type", () => {
  const ids = new IdRegistry();
  const object = directory(written(scratch, "/f"));
  const id = ids.idOf(object);
  expect(ids.load(id, "Directory")).toBe(object);
  expect(() => ids.load(id, "File")).toThrow(/is a Directory, but a File is expected/);
});

it("does not know the ids of another session", () => {
  const id = new IdRegistry().idOf(directory(scratch));
  expect(() => new IdRegistry().load(id)).toThrow(/not valid in another session/);
});

it("can't be guessed where the recipe can: a secret's URI, a socket's path", () => {
  const idOf = (object: { type: string }): string => new IdRegistry().idOf(object);
  const secret = { type: "Secret", id: "", name: "", uri: "env://HOME" };
  expect(idOf(secret)).not.toBe(idOf(secret));
  expect(idOf({ ...secret, type: "Directory" })).toBe(idOf({ ...secret, type: "Directory" }));
  const ids = new IdRegistry();
  expect(ids.idOf({ ...secret })).toBe(ids.idOf(secret));
});
