import { expect, test } from "vitest";
import { namedInputs } from "../../../src/plan/inputs/named-inputs.ts";
import { listTree } from "../../../src/tree/index.ts";
import { makeTree } from "../tree/fixture.ts";

/** The files that entries leave, in order. */
function filesOf(...entries: string[]): string {
  const root = makeTree(
    Object.fromEntries(
      ["a.ts", "gen/a.ts", "gen/keep.ts", "gen/deep/b.ts", "src/a.ts", "src/gen/c.ts"].map((name) => [name, "1"]),
    ),
  );
  const [whole] = namedInputs(entries, root, []);
  const { entries: found } = listTree(root, whole!.filter);
  return found.flatMap(({ path, type }) => (type === "file" ? [path] : [])).join(" ");
}

test.each([
  [["**/*.ts", "!gen/"], "a.ts src/a.ts src/gen/c.ts"],
  [["**/*.ts", "!gen"], "a.ts src/a.ts src/gen/c.ts"],
  [["**/*.ts", "!**/gen/"], "a.ts src/a.ts"],
  [["**/*.ts", "!*/gen"], "a.ts gen/a.ts gen/deep/b.ts gen/keep.ts src/a.ts"],
  [["**/*.ts", "!gen/*"], "a.ts src/a.ts src/gen/c.ts"],
  [["**/*.ts", "!gen/", "gen/keep.ts"], "a.ts gen/keep.ts src/a.ts src/gen/c.ts"],
  [["gen/", "!gen/deep/"], "gen/a.ts gen/keep.ts"],
  [["gen/*.ts", "!gen/a.ts"], "gen/keep.ts"],
  [["src/", "!**/c.ts"], "src/a.ts"],
])("%j leaves %s", (entries, files) => {
  expect(filesOf(...entries)).toBe(files);
});

/** How many inputs an entry makes: two when its literal part is inside what git ignores, as it then means exactly that. */
function inputsOf(entry: string, files: Record<string, string>): number {
  return namedInputs([entry], makeTree({ ".git/HEAD": "ref: refs/heads/main\n", ...files }), []).length;
}

test.each([
  ["build", { ".gitignore": "build/\n", "build/a": "1" }, 2],
  ["build", { ".gitignore": "build/\n", build: "a file, which the rule does not name" }, 1],
  ["build/", { ".gitignore": "build/\n" }, 2],
  ["build/*.js", { ".gitignore": "build/\n" }, 2],
  ["build", { ".gitignore": "build/\n" }, 1],
  ["build", { ".gitignore": "/build\n", build: "1" }, 2],
  ["lib", { ".gitignore": "build/\n", "lib/a": "1" }, 1],
  ["*.js", { ".gitignore": "*.js\n", "a.js": "1" }, 1],
])("%j beside %j makes %i", (entry, files, inputs) => {
  expect(inputsOf(entry, files)).toBe(inputs);
});
