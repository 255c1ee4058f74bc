import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { isMovedInput } from "../../../src/run/moved-input.ts";

test("a file that was touched while it was sent is no failure of the function, whatever the engine says around it", () => {
  expect(isMovedInput(new Error("error from sender: lib/a.txt changed while it was being read"))).toBe(true);
  expect(isMovedInput(new Error("exit code 1: npm test"))).toBe(false);
  expect(isMovedInput(undefined)).toBe(false);
  // These are the sender's own words.
  const sender = path.resolve(import.meta.dirname, "../../../src/engine/embedded/buildkit/fsutil/sender.ts");
  expect(readFileSync(sender, "utf8")).toContain("changed while it was being read");
});
