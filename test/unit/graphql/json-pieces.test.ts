import { jsonValue, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonPieces } from "../../../src/graphql/json-pieces.ts";
import { fuzz, fuzzTimeoutMs } from "../fuzz.ts";

const written = (value: unknown): string => [...jsonPieces(value)].join("");

describe("JSON in pieces", () => {
  it("is the text of JSON.stringify", { timeout: fuzzTimeoutMs }, async () => {
    await fuzz(property(jsonValue(), (value) => written(value) === JSON.stringify(value)));
    for (const value of [
      undefined,
      { a: undefined, b: [undefined, 1] },
      {},
      [],
      "",
      "\ud800",
      { __proto__: null, a: {} },
    ])
      expect(written(value)).toBe(JSON.stringify(value) ?? "null");
  });

  it("cuts a long text between characters, into pieces that are short", () => {
    for (const character of ["a", "é", "🙂", "\ud83d", '"', "\u0000"]) {
      const value = { data: { text: character.repeat(300_000), more: [character] } };
      const pieces = [...jsonPieces(value)];
      expect(pieces.join(""), character).toBe(JSON.stringify(value));
      expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(500_000);
      expect(pieces.length).toBeGreaterThan(3);
    }
  });
});
