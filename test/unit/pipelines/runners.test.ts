import { describe, expect, test } from "vitest";
import { cargoJunit, goJunit } from "../../../pipelines/src/junit.ts";
import { parseShard, runnerEnvironment, shardOf } from "../../../pipelines/src/runners.ts";

describe("what is asked of a runner", () => {
  test("reaches node and pytest by their own variables", () => {
    expect(runnerEnvironment("node", { shard: "1/2", reports: "/r", words: ["a.test.js"] })).toEqual({
      NODE_OPTIONS:
        "--test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit --test-reporter-destination=/r/junit.xml --test-shard=1/2",
      TEST_ARGS: "a.test.js",
    });
    expect(runnerEnvironment("pytest", { reports: "/r", words: ["b.py"] })).toEqual({
      PYTEST_ADDOPTS: "--junitxml=/r/junit.xml b.py",
      TEST_ARGS: "b.py",
    });
  });

  test("reaches the others as $TEST_ARGS", () => {
    expect(runnerEnvironment("vitest", { shard: "1/3", words: ["a"] })).toEqual({ TEST_ARGS: "--shard=1/3 a" });
    expect(runnerEnvironment("jest", { reports: "/r" })).toMatchObject({ JEST_JUNIT_OUTPUT_FILE: "/r/junit.xml" });
    expect(runnerEnvironment("go", { reports: "/r", coverage: true, words: ["./..."] })).toEqual({
      TEST_ARGS: "-v -coverprofile=/r/coverage.out ./...",
    });
    expect(runnerEnvironment("cargo", {})).toEqual({});
  });

  test("coverage goes beside the JUnit file", () => {
    expect(runnerEnvironment("pytest", { reports: "/r", coverage: true }).PYTEST_ADDOPTS).toContain(
      "--cov-report=xml:/r/coverage.xml",
    );
    expect(runnerEnvironment("vitest", { reports: "/r", coverage: true }).TEST_ARGS).toContain(
      "--coverage.reportsDirectory=/r/coverage",
    );
    expect(runnerEnvironment("node", { reports: "/r", coverage: true }).TEST_ARGS).toContain(
      "--test-reporter=lcov --test-reporter-destination=/r/coverage.lcov",
    );
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

describe("JUnit XML of runners that write none", () => {
  test("go: each test under the package that ended after it", () => {
    const xml = goJunit(
      "=== RUN   TestA\n--- PASS: TestA (0.01s)\n    --- FAIL: TestB/sub (0.00s)\nFAIL\nFAIL\texample.com/x\t0.1s\n--- SKIP: TestC (0.00s)\nok  \texample.com/y\t0.1s\n",
    );
    expect(xml).toContain('<testsuite name="example.com/x" tests="2" failures="1" skipped="0">');
    expect(xml).toContain('<testcase classname="example.com/y" name="TestC" time="0"><skipped/></testcase>');
  });

  test("cargo: modules are suites", () => {
    const xml = cargoJunit(
      "running 3 tests\ntest a::tests::adds ... ok\ntest fails<T> ... FAILED\ntest a::tests::slow ... ignored\n\ntest result: FAILED.\n",
    );
    expect(xml).toContain('<testsuite name="a::tests" tests="2" failures="0" skipped="1">');
    expect(xml).toContain('name="fails&lt;T&gt;" time="0"><failure message="failed"/></testcase>');
  });
});
