import { expect, test } from "vitest";
import { describeReason } from "../../../src/plan/index.ts";

test("another engine is named by its file, not by where it lies on this machine", () => {
  const before = "embedded on /home/jo/bin/buildkitd of 61 bytes and now, fastloop ab12";
  expect(describeReason({ kind: "engine", before, after: "dagger by the SDK, fastloop ab12" })).toBe(
    "the engine was embedded on buildkitd of 61 bytes and now, fastloop ab12",
  );
  expect(describeReason({ kind: "engine", before: "", after: before })).toBe("the engine was another one");
});
