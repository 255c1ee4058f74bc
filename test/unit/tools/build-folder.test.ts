import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const door = path.join(import.meta.dirname, "../../../tools/build-folder.mjs");
let root: string;
beforeEach(() => (root = mkdtempSync(path.join(tmpdir(), "fastloop-build-"))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const build = `
import { mkdirSync, writeFileSync } from "node:fs";
const { newFolder, putInPlace } = await import(${JSON.stringify(door)});
const [root] = process.argv.slice(1);
const folder = newFolder(root);
mkdirSync(folder + "/man");
for (const name of ["a", "b", "man/c"]) writeFileSync(folder + "/" + name, String(process.pid));
putInPlace(folder, root + "/dist");
`;

test("builds at once leave the whole of one of them, and nothing beside it", async () => {
  const run = promisify(execFile);
  const builds = Array.from({ length: 6 }, () =>
    run(process.execPath, ["--input-type=module", "-e", build, root], { encoding: "utf8" }),
  );
  for (const result of await Promise.allSettled(builds)) expect(result).toMatchObject({ status: "fulfilled" });
  expect(readdirSync(root)).toEqual(["dist"]);
  const texts = ["a", "b", "man/c"].map((name) => readFileSync(path.join(root, "dist", name), "utf8"));
  expect(new Set(texts).size).toBe(1);
});

test("what an earlier process of the same number left is in nobody's way", async () => {
  const leave = `
import { mkdirSync as make } from "node:fs";
make(process.argv[1] + "/dist");
make(process.argv[1] + "/dist.old." + process.pid + "/left", { recursive: true });
${build}`;
  await promisify(execFile)(process.execPath, ["--input-type=module", "-e", leave, root]);
  expect(readdirSync(root)).toEqual(["dist"]);
  expect(existsSync(path.join(root, "dist", "man"))).toBe(true);
});

test("what a killed build left goes with the next one, what a running one fills stays", async () => {
  const free = 2 ** 22 + 1;
  for (const name of [`dist.${free}`, `dist.old.${free}`, `dist.${process.pid}`, "dist.txt"])
    mkdirSync(path.join(root, name));
  await promisify(execFile)(process.execPath, ["--input-type=module", "-e", build, root]);
  expect(readdirSync(root).toSorted()).toEqual(["dist", `dist.${process.pid}`, "dist.txt"]);
  expect(existsSync(path.join(root, "dist", "man"))).toBe(true);
});
