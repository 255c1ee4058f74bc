import { describe, expect, test } from "vitest";
import { commandOf } from "../../../src/page/command.ts";

describe("a command of the page", () => {
  test.each([
    { do: "run", which: "all" },
    { do: "run", which: "failed" },
    { do: "run", which: ["a", "__proto__"] },
    { do: "cancel", node: "constructor" },
    { do: "restart", nodes: ["db"] },
    { do: "manual", on: false },
    { do: "run-marked" },
  ])("is taken: %j", (command) => {
    expect(commandOf(command)).toEqual(command);
  });

  test("has nothing else of the request in it", () => {
    const request: unknown = JSON.parse(
      '{"do":"cancel","node":"a","which":"all","__proto__":{"on":true},"shell":"rm"}',
    );
    expect(Object.keys(commandOf(request))).toEqual(["do", "node"]);
    expect(commandOf(request)).not.toHaveProperty("on");
  });

  test.each([
    null,
    true,
    7,
    "run",
    [],
    ["run"],
    {},
    { do: "rm" },
    { do: ["run"], which: "all" },
    { do: "run" },
    { do: "run", which: "some" },
    { do: "run", which: null },
    { do: "run", which: { length: 1, 0: "a" } },
    { do: "run", which: ["a", 1] },
    { do: "run", which: [["a"]] },
    { do: "cancel", node: ["a"] },
    { do: "cancel", node: { toString: "a" } },
    { do: "restart", nodes: "db" },
    { do: "restart", nodes: [null] },
    { do: "manual", on: "false" },
    { do: "manual", on: 1 },
    { do: "toString" },
    { do: "__proto__" },
  ])("is refused: %j", (value) => {
    expect(() => commandOf(value)).toThrow(expect.objectContaining({ status: 400, message: "that is no command" }));
  });
});
