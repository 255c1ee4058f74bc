import { expect, test } from "vitest";
import { problemsOf } from "../../../src/validate/calls.ts";
import { UserError } from "../../../src/errors/index.ts";
import type { Target } from "../../../src/plan/index.ts";

const target = {
  name: "lib",
  call: ["test", "--srce", ".", "--tier", "fast", "--quik", "--part=x"],
  place: "fastloop.yaml",
} as unknown as Target;

test("every argument that a function does not have is a problem, what is missing without them is not", () => {
  const check = ({ call }: Target): void => {
    const unknown = call.find((word) => word.startsWith("--") && word !== "--tier");
    if (unknown !== undefined) throw new UserError("config", `"test" has no argument ${unknown.split("=")[0]}`);
    throw new UserError("usage", "--source is missing");
  };
  expect(problemsOf(target, check).map(({ message }) => message)).toEqual([
    '"test" has no argument --srce',
    '"test" has no argument --quik',
    '"test" has no argument --part',
  ]);
});

test("anything else that is wrong with a call ends the look at it", () => {
  const missing = new UserError("usage", "--source is missing");
  expect(
    problemsOf(target, () => {
      throw missing;
    }),
  ).toEqual([missing]);
  expect(problemsOf(target, () => undefined)).toEqual([]);
  expect(() =>
    problemsOf(target, () => {
      throw new TypeError("a bug");
    }),
  ).toThrow("a bug");
});
