import { describe, expect, test } from "vitest";
import { chosenIn, floatingPackage } from "../../../pipelines/src/freshness.ts";

describe("a global npm package", () => {
  test.each([
    ["typescript", "typescript"],
    ["typescript@^5", "typescript"],
    ["@scope/tool@next", "@scope/tool"],
  ])("%s may move", (spec, name) => {
    expect(floatingPackage(spec)).toEqual({ name, spec });
  });

  test.each([
    "typescript@5.9.2",
    "typescript@=5.9.2",
    "@scope/tool@1.0.0-rc.1",
    "https://example.com/tool.tgz",
    "./tool.tgz",
    "alias@npm:tool@1",
    "acme/tool",
    "git+ssh://git@example.com/tool.git",
  ])("%s stays, or is no package of a registry", (spec) => {
    expect(floatingPackage(spec)).toBeUndefined();
  });
});

describe("of what the registry answers", () => {
  test.each([
    ['{"version":"5.9.3","dist-tags.latest":"5.9.3"}', "5.9.3"],
    ['[{"version":"7.0.0","dist-tags.latest":"7.2.0"},{"version":"7.1.0","dist-tags.latest":"7.2.0"}]', "7.1.0"],
    ['[{"version":"7.0.0","dist-tags.latest":"7.0.0"},{"version":"7.1.0","dist-tags.latest":"7.0.0"}]', "7.0.0"],
  ])("%s means %s", (answer, version) => {
    expect(chosenIn(answer)).toBe(version);
  });

  test.each(["", "npm error", '{"error":{"code":"E404"}}', "[]", "null", '"5.9.3"'])("%j says nothing", (answer) => {
    expect(chosenIn(answer)).toBeUndefined();
  });
});
