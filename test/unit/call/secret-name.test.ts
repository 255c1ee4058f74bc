import { expect, it } from "vitest";
import { secretName } from "../../../src/call/index.ts";

it("a secret's name in an engine changes with its value, stays while it stays, and tells nothing of it elsewhere", () => {
  const [here, elsewhere] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const name = secretName("env://TOKEN", "value", here);
  expect(name).toMatch(/^env:\/\/TOKEN#[0-9a-f]{16}$/);
  expect(secretName("env://TOKEN", "value", here)).toBe(name);
  expect(secretName("env://TOKEN", "other", here)).not.toBe(name);
  expect(secretName("env://TOKEN", "value", elsewhere)).not.toBe(name);
});
