import { expect, test } from "vitest";
import { summaryOf } from "../../../src/cli/call/render-functions.ts";

test.each([
  ["Runs the tests.", "Runs the tests."],
  ["Runs the tests. A failure fails it.\nAnd more.", "Runs the tests. A failure fails it."],
  ["One line without an end\n\nAnother paragraph.", "One line without an end"],
  [
    "Publishes the base under all tags, the moving ones last. Where the\nkey is there, nothing is built.",
    "Publishes the base under all tags, the moving ones last.",
  ],
  [
    "A sentence that goes on\nin the next line, e.g. here. Another.",
    "A sentence that goes on in the next line, e.g. here.",
  ],
  ["No end\nat all", "No end at all"],
  ["", ""],
])("%j in a list of functions is %j", (description, summary) => {
  expect(summaryOf(description)).toBe(summary);
});
