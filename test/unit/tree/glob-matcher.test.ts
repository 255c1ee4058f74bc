import { array, assert, constantFrom, oneof, property } from "fast-check";
import { describe, expect, test } from "vitest";
import {
  anyCharacter,
  compileTokens,
  segmentCharacter,
  type GlobToken,
} from "../../../src/tree/patterns/glob-matcher.ts";
import { nameMatcher } from "../../../src/tree/patterns/globs.ts";
import { parseGitignore, PatternMatcher } from "../../../src/tree/index.ts";

const seed = 20;

/** What a glob means, said as a backtracking expression. */
function reference(tokens: readonly GlobToken[]): RegExp {
  const sources = tokens.map((token) => {
    if (token.kind === "text") return token.text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
    if (token.kind === "one") return token === anyCharacter ? "." : "[^/]";
    return { "in-segment": "[^/]*", rest: ".*", folders: String.raw`(?:.*\/)?` }[token.kind];
  });
  return new RegExp(`^${sources.join("")}$`, "su");
}

const token = oneof(
  constantFrom("a", "b", "/", "ab", "é", "👩").map((text): GlobToken => ({ kind: "text", text })),
  constantFrom<GlobToken>(
    anyCharacter,
    segmentCharacter,
    { kind: "in-segment" },
    { kind: "rest" },
    { kind: "folders" },
  ),
);
const text = array(constantFrom("a", "b", "/", "é", "👩"), { maxLength: 12 }).map((parts) => parts.join(""));

describe("a glob", () => {
  test("matches what its expression matches", () => {
    assert(
      property(array(token, { maxLength: 8 }), array(text, { minLength: 1, maxLength: 8 }), (tokens, texts) => {
        const fits = compileTokens(tokens);
        const expression = reference(tokens);
        for (const each of texts) expect([each, fits(each)]).toEqual([each, expression.test(each)]);
      }),
      { seed, numRuns: 10_000 },
    );
  }, 180_000);

  test("longer than a machine word matches the same", () => {
    const long = array(token, { minLength: 30, maxLength: 60 }).map((tokens) =>
      tokens.filter(({ kind }, index) => kind === "text" || index % 12 === 0),
    );
    assert(
      property(long, (tokens) => {
        const sample = tokens.map((each) => (each.kind === "text" ? each.text : "a")).join("");
        for (const each of [sample, `${sample}b`, sample.slice(1), sample.replace("/", "//")])
          expect([each, compileTokens(tokens)(each)]).toEqual([each, reference(tokens).test(each)]);
      }),
      { seed, numRuns: 2000 },
    );
  }, 180_000);

  test.each([
    "*a*a*a*a*a*a*a*a*a*a*a*ab",
    "**/a/**/a/**/a/**/a/**/a/**/ab",
    "?*?*?*?*?*?*?*?*?*?*?*b",
    "[a-z]*[a-z]*[a-z]*[a-z]*[a-z]*1",
    "a**a**a**a**a**a**ab",
  ])("takes no longer the more stars it has: %s", (pattern) => {
    const hostile = ["a".repeat(4000), "a/".repeat(2000), `${"a".repeat(4000)}!`];
    const startedMs = performance.now();
    const matcher = new PatternMatcher([pattern]);
    const [rule] = parseGitignore(pattern);
    for (const file of hostile)
      expect([matcher.matches(file), rule?.test(file), nameMatcher(pattern)(file)]).toEqual([false, false, false]);
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });

  test("of unreasonable length is the user's error", () => {
    expect(() => new PatternMatcher(["*a".repeat(5000)])).toThrow(/has 10000 characters/);
    expect(parseGitignore(`${"*a".repeat(5000)}\nkept\n`)).toHaveLength(1);
  });

  test("of git's with a range out of order matches nothing, and stops nothing", () => {
    expect(parseGitignore("[z-a]\n[a\nkept\n")).toHaveLength(1);
  });
});

describe("a line of an ignore file", () => {
  test("loses its trailing blanks in one look, however many they are", () => {
    const startedMs = performance.now();
    const rules = parseGitignore(`${" ".repeat(2_000_000)}x\na   \nb\\ \n c\r\n`);
    expect(rules.map((rule) => ["a", "b ", " c"].find((name) => rule.test(name)))).toEqual(["a", "b ", " c"]);
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });
});
