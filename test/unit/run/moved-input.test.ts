import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { MovingFiles } from "../../../src/engine/index.ts";
import { movedInputs } from "../../../src/run/function-run/moving-inputs.ts";

test("a file that was touched while it was sent is named, whatever the engine puts around the words", () => {
  expect(movedInputs(new Error("error from sender: lib/a b.txt changed while it was being read"))).toEqual([
    "lib/a b.txt",
  ]);
  expect(movedInputs(new Error("lib/a.txt changed while it was being read"))).toEqual(["lib/a.txt"]);
  expect(movedInputs(new MovingFiles("/p", ["lib/a.txt"]))).toEqual(["/p/lib/a.txt"]);
  expect(movedInputs(new Error("exit code 1"))).toBeUndefined();
});

test("those are the words of the sender", () => {
  const sender = new URL("../../../src/buildkit/fsutil/sender.ts", import.meta.url);
  expect(readFileSync(sender, "utf8")).toContain("changed while it was being read");
});
