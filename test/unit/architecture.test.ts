import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");
const pages = ["docs/architecture.md", ...readdirSync(path.join(root, "docs/adr")).map((name) => `docs/adr/${name}`)];

test("the table of rooms is the order that the rooms test holds", () => {
  const told = [...read("docs/architecture.md").matchAll(/^\| `src\/([\w-]+)` \| (-?\d+) \|/gm)].map(
    ([, room, level]) => `${room} ${level}`,
  );
  const held = [...read("test/unit/rooms.test.ts").matchAll(/^ {2}"?([\w-]+)"?: (-?\d+),$/gm)].map(
    ([, room, level]) => `${room} ${level}`,
  );
  expect(told.toSorted()).toEqual(held.toSorted());
});

test("every file that the pages name is there", () => {
  const gone = pages.flatMap((page) =>
    [...read(page).matchAll(/`((?:src|test|tools)\/[\w./-]*[\w-])`/g)]
      .map(([, file]) => file ?? "")
      .filter((file) => !existsSync(path.join(root, file)))
      .map((file) => `${page}: ${file}`),
  );
  expect(gone).toEqual([]);
});

/** Files of `src` that a paragraph of the page names, in its order. */
function way(start: string, end: string): string[] {
  const page = read("docs/architecture.md");
  const from = page.indexOf(start);
  return [...page.slice(from, page.indexOf(end, from)).matchAll(/`(src\/[\w./-]+\.ts)`/g)].map(
    ([, file]) => file ?? "",
  );
}

/** What a file imports, now or later; what a door hands on counts as imported. */
function importsOf(file: string): string[] {
  const found = [...read(file).matchAll(/(?:from|import\()\s*"(\.[^"]+\.ts)"/g)].map(([, to]) =>
    path.join(path.dirname(file), to ?? ""),
  );
  return found.flatMap((to) => (path.basename(to) === "index.ts" && to !== file ? [to, ...importsOf(to)] : [to]));
}

test("a call goes through few files on the CLI's side, each reached from those before it and never again", () => {
  const files = way("**A call**", "In the daemon:");
  expect(files.length).toBeLessThan(15);
  expect(files).toEqual([...new Set(files)]);
  const lost = files.filter((file, at) => at > 0 && !files.slice(0, at).some((from) => importsOf(from).includes(file)));
  expect(lost).toEqual([]);
});

test("a save goes through files that are named once", () => {
  const files = way("**A save**", "**A call**");
  expect(files.length).toBeLessThan(60);
  expect(files).toEqual([...new Set(files)]);
});

test("decisions are numbered in a row, dated, and say what else there was", () => {
  const decisions = pages.filter((page) => /adr\/\d/.test(page)).toSorted();
  expect(decisions.map((page) => Number(path.basename(page).slice(0, 4)))).toEqual(decisions.map((_, at) => at + 1));
  for (const page of decisions) {
    expect(read(page), page).toMatch(/^# \d{4}\. .+\n\n\d{4}-\d\d-\d\d, /);
    for (const part of ["Context", "Decision", "Alternatives", "Consequences"])
      expect(read(page), page).toContain(`\n## ${part}\n`);
    expect(read("docs/architecture.md")).toContain(`(adr/${path.basename(page)})`);
  }
});
