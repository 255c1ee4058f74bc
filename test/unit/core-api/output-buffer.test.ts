import { expect, it } from "vitest";
import { OutputBuffer } from "../../../src/core-api/solve/output-buffer.ts";

const limit = 100 * 1024;

/** What Dagger keeps: the last bytes, the first of which say how many there were before. */
function expected(text: string): string {
  const bytes = Buffer.from(text);
  const last = Buffer.from(bytes.subarray(-limit));
  last.write(`[omitting ${bytes.length - limit} bytes]...`);
  return last.toString();
}

it("keeps all of a small output", () => {
  const output = new OutputBuffer();
  output.push("one\n");
  output.push("two\n");
  expect(output.tail()).toBe("one\ntwo\n");
  output.push("x".repeat(limit - 8));
  expect(output.tail()).toHaveLength(limit);
  expect(output.tail().startsWith("one\ntwo\nx")).toBe(true);
});

it.each([1, 1000, 70_000, 5_000_000])("counts what was cut, in pieces of %i characters", (piece) => {
  const output = new OutputBuffer();
  const total = 5_000_000;
  for (let pushed = 0; pushed < total; pushed += piece) output.push("x".repeat(Math.min(piece, total - pushed)));
  expect(output.tail()).toBe(expected("x".repeat(total)));
  expect(output.tail().slice(0, 30)).toBe(`[omitting ${total - limit} bytes]...`.padEnd(30, "x").slice(0, 30));
});

it.each(["ü", "aü", "€", "🙂", "a🙂b"])("counts and keeps bytes, not characters: %s", (unit) => {
  for (const piece of [1, 999, limit]) {
    const output = new OutputBuffer();
    for (let pushed = 0; pushed < 3 * limit; pushed += piece) output.push(unit.repeat(piece));
    const pieces = Math.ceil((3 * limit) / piece);
    expect(output.tail()).toBe(expected(unit.repeat(pieces * piece)));
  }
});

it("says it of one byte too many", () => {
  const output = new OutputBuffer();
  output.push("x".repeat(limit + 1));
  expect(Buffer.byteLength(output.tail())).toBe(limit);
  expect(output.tail().startsWith("[omitting 1 bytes]...x")).toBe(true);
});
