import { expect, it } from "vitest";
import { expandVariables } from "../../../src/core-api/values/expand.ts";

const lookup = (name: string): string => ({ A: "1", LONG_name: "two" })[name] ?? "";

it("replaces names with and without braces", () => {
  expect(expandVariables("$A-${A}-$LONG_name.", lookup)).toBe("1-1-two.");
});

it("makes unknown names empty", () => {
  expect(expandVariables("[$NONE][${NONE}]", lookup)).toBe("[][]");
});

it("keeps a dollar that names nothing, and one at the end", () => {
  expect(expandVariables("$ 5$", lookup)).toBe("$ 5$");
});

it("reads one character of special names, as Go does", () => {
  expect(expandVariables("$1A", (name) => `<${name}>`)).toBe("<1>A");
});

it("swallows braces without an end or a name", () => {
  expect(expandVariables("a${b", lookup)).toBe("ab");
  expect(expandVariables("a${}b", lookup)).toBe("ab");
});
