import { expect, test } from "vitest";
import { asWritten } from "../../../src/cli/commands/watches.ts";

test("entries are shown as they were written: only an exception was doubled", () => {
  expect(asWritten(["src", "src/**", "!gen/", "!gen/**", "undefined/**"])).toEqual([
    "src",
    "src/**",
    "!gen/",
    "undefined/**",
  ]);
  expect(asWritten(["undefined/**"])).toEqual(["undefined/**"]);
});
