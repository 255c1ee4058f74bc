import { expect, it } from "vitest";
import { KeptOutput } from "../../../src/core-api/solve/kept-output.ts";

const limit = 100 * 1024;

it("keeps all of a small output", () => {
  const output = new KeptOutput();
  output.push("one\n");
  output.push("two\n");
  expect(output.tail()).toBe("one\ntwo\n");
  output.push("x".repeat(limit - 8));
  expect(output.tail()).toHaveLength(limit);
});

it.each([1, 1000, 70_000, 5_000_000])("counts what was cut, in pieces of %i characters", (piece) => {
  const output = new KeptOutput();
  const total = 5_000_000;
  for (let pushed = 0; pushed < total; pushed += piece) output.push("x".repeat(Math.min(piece, total - pushed)));
  expect(output.tail().slice(0, 30)).toBe(`[omitting ${total - limit} bytes]...`.padEnd(30, "x").slice(0, 30));
  expect(output.tail()).toHaveLength(limit + `[omitting ${total - limit} bytes]...`.length);
});

it("counts bytes, not characters", () => {
  const output = new KeptOutput();
  output.push("ü".repeat(limit + 10));
  expect(output.tail().startsWith("[omitting 20 bytes]...ü")).toBe(true);
});
