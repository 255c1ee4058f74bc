import { expect, test } from "vitest";
import { findingsTable } from "../../../pipelines/src/verify.ts";

test("what was verified is a table, and nothing to verify is said in place of an empty one", () => {
  const finding = { platform: "linux/amd64", subject: "jq", expected: "1.7", found: "1.6", passed: false };
  expect(findingsTable([finding]).split("\n")[2]).toBe("| linux/amd64 | jq | 1.7 | 1.6 | FAILED |");
  expect(findingsTable([])).toBe("Nothing to verify: `images.base` has no tools and no `maxSize`.\n");
});
