import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { secretName } from "../../../src/call/index.ts";

it("a secret's name in an engine changes with its value, stays while it stays, and tells nothing of it elsewhere", () => {
  const [here, elsewhere] = [0, 1].map(() => mkdtempSync(path.join(tmpdir(), "fastloop-secret-"))) as [string, string];
  const name = secretName("env://TOKEN", "value", here);
  expect(name).toMatch(/^env:\/\/TOKEN#[0-9a-f]{16}$/);
  expect(secretName("env://TOKEN", "value", here)).toBe(name);
  expect(secretName("env://TOKEN", "other", here)).not.toBe(name);
  expect(secretName("env://TOKEN", "value", elsewhere)).not.toBe(name);
  for (const folder of [here, elsewhere]) rmSync(folder, { recursive: true });
});
