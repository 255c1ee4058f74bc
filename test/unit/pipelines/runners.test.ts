import { describe, expect, test } from "vitest";
import { parseShard, runnerEnvironment, shardOf } from "../../../pipelines/src/runners.ts";
import { selectTests } from "../../../pipelines/src/selection.ts";
import { resolveSuite } from "../../../src/config/presets.ts";
import type { SuiteConfig } from "../../../src/config/types.ts";

describe("what is asked of a runner", () => {
  test("reaches node and pytest by their own variables", () => {
    expect(runnerEnvironment("node", { shard: "1/2", reports: "/r" })).toEqual({
      NODE_OPTIONS: "--test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination=/r/junit.xml --test-shard=1/2",
    });
    expect(runnerEnvironment("pytest", { reports: "/r", files: ["b.py", "a.py"], shard: "2/2" })).toEqual({ PYTEST_ADDOPTS: "--junitxml=/r/junit.xml b.py" });
  });

  test("reaches the others as $TEST_ARGS", () => {
    expect(runnerEnvironment("vitest", { shard: "1/3" })).toEqual({ TEST_ARGS: "--shard=1/3" });
    expect(runnerEnvironment("jest", { reports: "/r" })).toMatchObject({ JEST_JUNIT_OUTPUT_FILE: "/r/junit.xml" });
    expect(runnerEnvironment("cargo", {})).toEqual({});
  });

  test("a runner that knows no shards refuses one", () => {
    expect(() => runnerEnvironment("cargo", { shard: "1/2" })).toThrow("can't be sharded");
    expect(() => runnerEnvironment(undefined, { shard: "1/2" })).toThrow("can't be sharded");
  });

  test("the parts of a list are disjoint and together all of it", () => {
    const files = ["d", "a", "c", "b", "e"];
    const parts = ["1/3", "2/3", "3/3"].map((shard) => shardOf(files, shard));
    expect(parts).toEqual([["a", "d"], ["b", "e"], ["c"]]);
  });

  test.each(["0/2", "3/2", "1", "a/b"])("%s is no shard", (shard) => {
    expect(() => parseShard(shard)).toThrow("--shard takes i/n");
  });
});

describe("which tests a change can affect", () => {
  const suite = (config: Partial<SuiteConfig>) => resolveSuite({ preset: "npm", sources: ["lib/"], cwd: "lib", tiers: {}, ...config });

  test("none, when the suite reads none of the files", () => {
    expect(selectTests(suite({ runner: "vitest" }), ["worker/a.py"])).toEqual({ kind: "none" });
  });

  test("all, when a manifest changed or no runner is named", () => {
    expect(selectTests(suite({ runner: "vitest" }), ["package-lock.json"])).toEqual({ kind: "all", because: "package-lock.json changed" });
    expect(selectTests(suite({}), ["lib/a.ts"])).toMatchObject({ kind: "all" });
  });

  test("the test files themselves, when only those changed", () => {
    expect(selectTests(suite({ runner: "node" }), ["lib/test/a.test.ts"])).toEqual({ kind: "files", files: ["test/a.test.ts"] });
    expect(selectTests(suite({ runner: "go", preset: "go", sources: ["./"], cwd: undefined }), ["x/a_test.go", "x/b_test.go"])).toEqual({ kind: "files", files: ["./x"] });
  });

  test("what imports them, for runners that follow imports; all for the others", () => {
    expect(selectTests(suite({ runner: "vitest" }), ["lib/src/a.ts"])).toEqual({ kind: "related", files: ["src/a.ts"] });
    expect(selectTests(suite({ runner: "pytest" }), ["lib/src/a.py"])).toMatchObject({ kind: "all", because: expect.stringContaining("pytest") as string });
  });

  test("all, when a file that the suite reads lies outside of where its tests run", () => {
    expect(selectTests(suite({ runner: "vitest", sources: ["lib/", "api/"] }), ["api/src/b.ts"])).toMatchObject({ kind: "all" });
  });
});
