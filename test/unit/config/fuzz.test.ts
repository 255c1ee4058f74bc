/** `fastloop.yaml` as nobody would write it: refused with places and words, or a configuration; never a stack, never long. */
import { array, constantFrom, jsonValue, nat, oneof, property, string, tuple, type Arbitrary } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/parse.ts";
import { fuzz, fuzzTimeoutMs, inTime } from "../fuzz.ts";

const valid = `version: 1
watch:
  targets:
    lib: { call: test --source ., inputs: [lib/, "!**/*.md"], timeout: 5m }
    api: { call: test, needs: [lib], uses: { memory: 2GB } }
images: { base: { from: "node:22", packages: [git] } }
tests: { suites: { lib: { preset: npm, sources: [lib/], tiers: { fast: npm test } } } }
services: { db: { image: "web:16", ports: [8080] } }
`;

/** What means something in YAML, in JavaScript or in the schema, where it is not expected. */
const hostile = constantFrom(
  "&a [*a]",
  "*a",
  "&a {k: *a}",
  "<<: *a",
  "!!js/function x",
  "!!binary AAAA",
  "!x y",
  "? [a]\n: b",
  "---\n",
  "...\n",
  "%YAML 9.9\n",
  "\t",
  "\u0000",
  "\ufeff",
  "\u001b[2J",
  "\u2028",
  "__proto__: { x: 1 }",
  "constructor: { prototype: 1 }",
  "toString: 1",
  "null",
  "~",
  "1e999",
  "-1",
  "0x7fffffffffffffff",
  "2001-01-01",
  "''",
  "[",
  "{",
  "]",
  "}",
  "|\n",
  ">-\n",
  "${HOME}",
  "../../../etc/passwd",
  "/",
  "[".repeat(200),
  "x".repeat(2000),
  "99999999999d",
  "-5m",
  "**/".repeat(30),
);
const words = valid.split(/(?<=[\s:,[\]{}])|(?=[\s:,[\]{}])/);

const documents: Arbitrary<string> = oneof(
  // A part of the valid one is another thing.
  array(
    tuple(
      nat(words.length - 1),
      oneof(
        hostile,
        string(),
        jsonValue().map((value) => JSON.stringify(value)),
      ),
    ),
    {
      minLength: 1,
      maxLength: 3,
    },
  ).map((edits) => {
    const text = [...words];
    for (const [at, put] of edits) text[at] = put;
    return text.join("");
  }),
  // Characters of it are missing, or others are between them.
  tuple(nat(valid.length), nat(20), oneof(hostile, string())).map(
    ([at, out, put]) => valid.slice(0, at) + put + valid.slice(at + out),
  ),
  nat(valid.length).map((at) => valid.slice(0, at)),
  // A key has any value.
  tuple(
    constantFrom("watch", "images", "tests", "services", "deploy", "engine", "cache", "extensions", "x"),
    jsonValue(),
  ).map(([key, value]) => `version: 1\n${key}: ${JSON.stringify(value)}\n`),
  array(oneof(hostile, string()), { maxLength: 8 }).map((parts) => parts.join("")),
);

describe("ten thousand configurations", { timeout: 3 * fuzzTimeoutMs }, () => {
  it("are one that holds, or are told with places and words", async () => {
    expect(parseConfig(valid)).toMatchObject({ problems: [] });
    let held = 0;
    await fuzz(
      property(documents, (text) => {
        const { config, problems } = inTime(() => parseConfig(text));
        expect(config === undefined).toBe(problems.length > 0);
        held += config === undefined ? 0 : 1;
        const lines = text.split("\n").length + 1;
        for (const { line, column, message } of problems) {
          expect([line >= 1 && line <= lines, column >= 1], message).toEqual([true, true]);
          // No sentence of the parser's own failure, and nothing that a terminal obeys or that breaks the line.
          expect(message).toMatch(/^[^\n]+$/);
          expect(message).not.toMatch(/is not a function|Cannot read prop|undefined|\[object /);
        }
        expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
      }),
    );
    // They are no heap of nonsense alone: some hold.
    expect(held).toBeGreaterThan(100);
  });
});
