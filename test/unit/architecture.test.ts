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
