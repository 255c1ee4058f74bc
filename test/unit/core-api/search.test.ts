import { describe, expect, it } from "vitest";
import { alternatives } from "../../../src/core-api/search/scope.ts";
import { linesOf, replaceText } from "../../../src/core-api/file/text-edits.ts";
import { excludePatterns } from "../../../src/core-api/tree/gitignore.ts";
import { compilePattern, searchText } from "../../../src/core-api/search/search-text.ts";
import { startSearch } from "../../../src/core-api/search/thread.ts";

const plain = { literal: false, multiline: false, dotall: false, insensitive: false };
const found = (text: string, pattern: string, options: Partial<typeof plain> = {}, limit = 100) => {
  const work = { ...plain, ...options, pattern };
  return searchText(text, compilePattern(work), work.multiline, limit);
};

describe("a search in a text", () => {
  it("gives lines with their matches, in bytes", () => {
    expect(found("eins\nzwei é x é\r\nx\n", "é|x$")).toEqual([
      {
        lineNumber: 2,
        absoluteOffset: 5,
        matchedLines: "zwei é x é\r\n",
        submatches: [
          { text: "é", start: 5, end: 7 },
          { text: "é", start: 10, end: 12 },
        ],
      },
      { lineNumber: 3, absoluteOffset: 19, matchedLines: "x\n", submatches: [{ text: "x", start: 0, end: 1 }] },
    ]);
    expect(found("a\nb", "^.$", {}, 1)).toHaveLength(1);
    expect(found("a.c\nabc\n", "a.c", { literal: true }).map(({ lineNumber }) => lineNumber)).toEqual([1]);
    expect(found("ABC\n", "b", { insensitive: true })).toHaveLength(1);
  });

  it("goes across lines where it is asked to", () => {
    expect(found("one\ntwo\nthree\ntwo\nfour\n", "two\nth|^fo", { multiline: true })).toEqual([
      {
        lineNumber: 2,
        absoluteOffset: 4,
        matchedLines: "two\nthree\n",
        submatches: [{ text: "two\nth", start: 0, end: 6 }],
      },
      { lineNumber: 5, absoluteOffset: 18, matchedLines: "four\n", submatches: [{ text: "fo", start: 0, end: 2 }] },
    ]);
    expect(
      found("\n\n", "^", { multiline: true }).map(({ lineNumber, matchedLines }) => [lineNumber, matchedLines]),
    ).toEqual([
      [1, "\n"],
      [2, "\n"],
      [3, ""],
    ]);
    expect(found("a\nb", "a.b", { multiline: true, dotall: true })).toHaveLength(1);
  });

  it.each(["(a+)+$", "(a|aa)+$", "(.*a){20}$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"])(
    "takes time in proportion to the text: %s",
    (pattern) => {
      const startedMs = performance.now();
      expect(found(`${"a".repeat(20_000)}!`, pattern)).toEqual([]);
      expect(performance.now() - startedMs).toBeLessThan(10_000);
    },
  );

  it("says what is wrong with a pattern", () => {
    for (const pattern of ["(", "a{1001}", "((a{100}){100}){10}", "\\", "[z-a]", "(?=a)"])
      expect(() => compilePattern({ ...plain, pattern })).toThrow(RangeError);
  });
});

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

describe("a search in a thread", () => {
  // Each match looks at all that follows: no engine finds all of them in linear time.
  const slow = { ...plain, pattern: "a*b|a" };
  const text = Buffer.from("a".repeat(200_000));

  it("leaves the others their turn, and ends with its request", async () => {
    const request = new AbortController();
    const search = startSearch(slow, request.signal);
    const result = search.search(text, 1_000_000).next();
    let turns = 0;
    const clock = setInterval(() => ++turns === 5 && request.abort(), 20);
    await expect(result).rejects.toThrow("the search was cancelled");
    clearInterval(clock);
    search.close();
    expect(turns).toBeGreaterThanOrEqual(5);
  });

  it("gives what it found", async () => {
    const search = startSearch({ ...plain, pattern: "b+" }, new AbortController().signal);
    const answers = await all(search.search(Buffer.from("a\nbb\n"), 10));
    expect(answers).toMatchObject([[{ lineNumber: 2, matchedLines: "bb\n" }]]);
    expect(await all(search.search(Buffer.from("a"), 10))).toEqual([[]]);
    search.close();
  });

  it("gives much a little at a time", async () => {
    const search = startSearch({ ...plain, pattern: "b" }, new AbortController().signal);
    const answers = await all(search.search(Buffer.from("b\n".repeat(2500)), 2400));
    expect(answers.map((found) => found.length)).toEqual([1000, 1000, 400]);
    expect(answers.flat().at(-1)).toMatchObject({ lineNumber: 2400 });
    search.close();
  });
});

describe("braces in a glob", () => {
  it("are spelled out in order", () => {
    expect(alternatives("*.{ts,tsx}")).toEqual(["*.ts", "*.tsx"]);
    expect(alternatives("{a,b{1,2}}/x")).toEqual(["a/x", "b1/x", "a/x", "b2/x"]);
    expect(alternatives("{a}{")).toEqual(["{a}{"]);
  });

  it("end at a limit", () => {
    expect(() => alternatives("{a,b}".repeat(20))).toThrow(/more than 1000 globs/);
    expect(() => alternatives("{a,".repeat(3000))).toThrow(/the limit is/);
    expect(alternatives("{a,".repeat(1000))).toHaveLength(1);
  });
});

describe("lines of a file", () => {
  it.each([
    [0, 1, "a\n"],
    [1, undefined, "b\nc"],
    [2, 5, "c"],
    [3, 1, ""],
    [-1, undefined, "c"],
  ])("from %s, %s of them", (offset, limit, expected) => {
    expect(linesOf("a\nb\nc", offset, limit)).toBe(expected);
  });
});

describe("a text with a part replaced", () => {
  const one = { search: "a", replacement: "bb", all: false };
  it("has it once, everywhere, or from a line on", () => {
    expect(replaceText("xax", one)).toBe("xbbx");
    expect(replaceText("aa$&", { ...one, all: true, replacement: "$&" })).toBe("$&$&$&");
    expect(replaceText("a\na\na", { ...one, firstFrom: 2 })).toBe("a\nbb\na");
    expect(replaceText("ab", { ...one, search: "", all: true, replacement: "-" })).toBe("-a-b-");
    expect(() => replaceText("a\nb a a", one)).toThrow("multiple times: line 1 (0-1), line 2 (2-3), line 2 (4-5)");
    expect(() => replaceText("x", one)).toThrow("not found");
    expect(() => replaceText("a\n", { ...one, firstFrom: 2 })).toThrow("not found");
  });

  it("is not larger than what may be in memory", () => {
    expect(() => replaceText("a".repeat(2000), { ...one, all: true, replacement: "x".repeat(100_000) })).toThrow(
      /more than \d+ characters/,
    );
    expect(() => replaceText("a".repeat(2000), { search: "", all: true, replacement: "x".repeat(100_000) })).toThrow(
      /more than \d+ characters/,
    );
  });
});

describe("a rule of an ignore file as an exclude pattern", () => {
  it("loses what git would not see, in one look", () => {
    expect(excludePatterns("a/b/// \t", "x")).toEqual(["x/a/b"]);
    expect(excludePatterns("a\\  ", "")).toEqual(["**/a\\ "]);
    const startedMs = performance.now();
    excludePatterns(`${" ".repeat(1_000_000)}x`, "");
    excludePatterns(`${"/".repeat(1_000_000)}x`, "");
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });
});
