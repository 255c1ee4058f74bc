import { expect, test } from "vitest";
import { logLineAsJson } from "../../../src/cli/commands/engine.ts";

test("a line of the engine's log becomes an object, any other one its text", () => {
  expect(JSON.parse(logLineAsJson('2026-01-01T00:00:00.000Z buildkitd: level=info msg="a: b"'))).toEqual({
    at: "2026-01-01T00:00:00.000Z",
    source: "buildkitd",
    text: 'level=info msg="a: b"',
  });
  expect(JSON.parse(logLineAsJson("panic: oh"))).toEqual({ text: "panic: oh" });
});
