import { describe, expect, test } from "vitest";
import { PatternMatcher, listTree } from "../../../src/tree/index.ts";
import { makeTree } from "./fixture.ts";

/** Pattern, path, whether it matches: the table of moby/patternmatcher's own tests, and what .dockerignore adds. */
const table: [string, string, boolean][] = [
  ["**", "file", true],
  ["**", "file/", true],
  ["**/", "file", true],
  ["**", "/", true],
  ["**", "dir/file", true],
  ["**/**", "dir/file", true],
  ["dir/**", "dir/file", true],
  ["dir/**", "dir/dir2/file", true],
  ["**/dir", "dir", true],
  ["**/dir", "dir/file", true],
  ["**/dir2/*", "dir/dir2/file", true],
  ["**/dir2/*", "dir/dir2/dir2/file", true],
  ["**/dir2/**", "dir/dir2/dir2/file", true],
  ["**file", "file", true],
  ["**file", "dir/file", true],
  ["**file", "dir/dir/file", true],
  ["**/file", "dir/dir/file", true],
  ["**/file*", "dir/dir/file.txt", true],
  ["**/file*txt", "dir/dir/file.txt", true],
  ["**/file*.txt*", "dir/dir/file.txt", true],
  ["**/**/*.txt", "dir/dir/file.txt", true],
  ["**/**/*.txt2", "dir/dir/file.txt", false],
  ["**/*.txt", "file.txt", true],
  ["**/**/*.txt", "file.txt", true],
  ["a**/*.txt", "a/file.txt", true],
  ["a**/*.txt", "a/dir/file.txt", true],
  ["a/*.txt", "a/dir/file.txt", false],
  ["a/*.txt", "a/file.txt", true],
  ["a[b-d]e", "ae", false],
  ["a[b-d]e", "ace", true],
  ["a[^b-d]e", "aze", true],
  [".*", ".foo", true],
  [".*", "foo", false],
  ["abc.def", "abcdef", false],
  ["abc.def", "abcZdef", false],
  ["abc?def", "abcZdef", true],
  ["abc?def", "abcdef", false],
  ["a\\*b", "a*b", true],
  ["a\\*b", "axb", false],
  ["**/foo/bar", "foo/bar", true],
  ["**/foo/bar", "dir/dir2/foo/bar", true],
  ["abc/**", "abc", false],
  ["abc/**", "abc/def/ghi", true],
  ["**/.foo", "bar.foo", false],
  ["**/.foo", ".foo", true],
  ["a(b)c/def", "a(b)c/def", true],
  ["a.|)$(}+{bc", "a.|)$(}+{bc", true],
  ["/lib", "lib/x", true],
  ["lib/", "lib/x", true],
  ["./lib", "lib", true],
  ["lib", "src/lib", false],
  ["x?y", "x😀y", true],
];

describe("a pattern", () => {
  test.each(table)("%j against %j: %j", (pattern, file, expected) => {
    expect(new PatternMatcher([pattern]).matches(file.replace(/\/$/, ""))).toBe(file === "/" ? true : expected);
  });

  test("loses to an exception after it, and wins over one before it", () => {
    expect(new PatternMatcher(["*.md", "!README.md"]).matches("README.md")).toBe(false);
    expect(new PatternMatcher(["!README.md", "*.md"]).matches("README.md")).toBe(true);
    expect(new PatternMatcher(["docs", "!docs/api", "docs/api/old"]).matches("docs/api/new")).toBe(false);
    expect(new PatternMatcher(["docs", "!docs/api", "docs/api/old"]).matches("docs/api/old/x")).toBe(true);
  });

  test("that means nothing is the user's error", () => {
    expect(() => new PatternMatcher(["a[b"])).toThrow(/a\[b.*not valid/);
    expect(() => new PatternMatcher(["!"])).toThrow(/not valid/);
  });
});

const files = {
  "a/x.ts": "",
  "a/b/y.ts": "",
  "a/b/z.md": "",
  "c/w.md": "",
  "node_modules/m/i.js": "",
  "node_modules/keep/k.js": "",
};
const paths = (root: string, filter: Parameters<typeof listTree>[1]): string[] =>
  listTree(root, filter).entries.map((e) => e.path);

describe("a filtered tree", () => {
  test("holds the parents of what an include pattern picks, and no other folder", () => {
    expect(paths(makeTree(files), { include: ["**/y.ts"] })).toEqual(["a", "a/b", "a/b/y.ts"]);
    expect(paths(makeTree(files), { include: ["c/"] })).toEqual(["c", "c/w.md"]);
    expect(paths(makeTree(files), { include: ["a", "!a/b/*.md"] })).toEqual(["a", "a/b", "a/b/y.ts", "a/x.ts"]);
  });

  test("brings back an exception inside an excluded folder with that folder", () => {
    expect(paths(makeTree(files), { exclude: ["node_modules", "!node_modules/keep", "a", "c"] })).toEqual([
      "node_modules",
      "node_modules/keep",
      "node_modules/keep/k.js",
    ]);
  });

  test("needs a path to pass both lists", () => {
    expect(paths(makeTree(files), { include: ["a"], exclude: ["**/*.md"] })).toEqual([
      "a",
      "a/b",
      "a/b/y.ts",
      "a/x.ts",
    ]);
  });
});
