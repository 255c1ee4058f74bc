import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseConfig, placesIn } from "../../../src/config/parse.ts";

const problemsOf = (text: string) =>
  parseConfig(text).problems.map(({ line, column, level, message, hint }) => ({ line, column, level, message, hint }));

describe("a good file", () => {
  test("the example's and the repository's own are valid", () => {
    for (const file of ["fastloop.yaml", "examples/shop/fastloop.yaml"]) {
      expect(parseConfig(readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8")).problems).toEqual([]);
    }
  });

  test("texts stay as they were written", () => {
    const { config } = parseConfig("version: 1\nwatch: { debounce: 50ms }\n");
    expect(config).toEqual({ version: 1, watch: { debounce: "50ms" } });
  });
});

describe("a bad file is told with its place", () => {
  test("an unknown key, at the key, with the one that was probably meant", () => {
    expect(problemsOf("version: 1\nwatch:\n  debonce: 50ms\n")).toEqual([
      { line: 3, column: 3, level: "structure", message: "unknown key `debonce`", hint: "did you mean `debounce`?" },
    ]);
  });

  test("a path that begins with a slash, with how an ignore file's reader means it", () => {
    const problemOf = (pattern: string) =>
      problemsOf(`version: 1\nwatch: { targets: { lib: { call: test, inputs: ["${pattern}"] } } }\n`)[0];
    const hint = (path: string): string => `paths begin at the folder of fastloop.yaml: write \`${path}\``;
    expect(problemOf("/src/")).toMatchObject({ message: "expected a path inside the project", hint: hint("src/") });
    expect(problemOf("/")).toMatchObject({ hint: hint("**") });
    expect(problemOf("../src/")).toMatchObject({ hint: undefined });
  });

  test("a timeout that leaves no time, or more than a timer can hold", () => {
    const problems = (timeout: string) =>
      problemsOf(`version: 1\nwatch: { targets: { lib: { call: test, timeout: ${timeout} } } }\n`);
    for (const timeout of ["0s", "0.0ms", "25d"]) {
      expect(problems(timeout)).toMatchObject([
        { line: 2, message: "expected a duration of more than 0 and at most 24d" },
      ]);
    }
    expect(problems("soon")).toMatchObject([{ message: expect.stringContaining("a duration such as") }]);
    expect(problems("24d")).toEqual([]);
  });

  test("an unknown key that is like none, with all that are known there", () => {
    const [problem] = problemsOf("version: 1\ncache: { zebra: 1 }\n");
    expect(problem).toMatchObject({ line: 2, column: 10, hint: "known here: from, to" });
  });

  test("an unknown key inside a named entry of a map", () => {
    const [problem] = problemsOf("version: 1\nwatch:\n  targets:\n    lib:\n      call: test\n      need: [x]\n");
    expect(problem).toMatchObject({ line: 6, column: 7, message: "unknown key `need`", hint: "did you mean `needs`?" });
  });

  test("an unknown key in the long form of a tier", () => {
    const [problem] = problemsOf(
      "version: 1\ntests: { suites: { a: { image: x, tiers: { smoke: { run: ls, servces: [] } } } } }\n",
    );
    expect(problem).toMatchObject({ message: "unknown key `servces`", hint: "did you mean `services`?" });
  });

  test("a value of the wrong form, at the value", () => {
    expect(problemsOf("version: 1\nwatch: { debounce: 50 minutes }\n")[0]).toMatchObject({
      line: 2,
      column: 20,
      message: "expected a duration such as 50ms, 30s, 2m, 1h",
    });
  });

  test("a missing key, at what should have it", () => {
    expect(problemsOf("version: 1\nwatch:\n  targets:\n    lib: {}\n")[0]).toMatchObject({
      line: 4,
      message: "`call` is missing",
    });
  });

  test("a broken YAML, with the library's words and no code frame", () => {
    const [problem] = problemsOf("version: 1\nwatch: [\n");
    expect(problem).toMatchObject({ level: "syntax", line: 3 });
    expect(problem?.message).not.toContain("\n");
  });

  test("several problems in the order of the file", () => {
    expect(problemsOf("version: 2\nnme: x\ncache: 1\n").map((problem) => problem.line)).toEqual([1, 2, 3]);
  });

  test("a path that leaves the project", () => {
    expect(problemsOf("version: 1\nwatch: { ignore: [../x] }\n")[0]).toMatchObject({ line: 2, column: 19 });
  });
});

describe("parts that make no sense together", () => {
  test("a need that is no target", () => {
    const text = "version: 1\nwatch:\n  targets:\n    lib: { call: a }\n    api: { call: b, needs: [lob] }\n";
    expect(problemsOf(text)).toEqual([
      { line: 5, column: 29, level: "semantic", message: "unknown target `lob`", hint: "did you mean `lib`?" },
    ]);
  });

  test("targets that need each other in a circle", () => {
    const text = "version: 1\nwatch: { targets: { a: { call: x, needs: [b] }, b: { call: x, needs: [a] } } }\n";
    expect(problemsOf(text)[0]?.message).toBe("targets need each other in a circle: a -> b -> a");
  });

  test("a suite without an image, and one on an image that is not described", () => {
    const suite = (body: string) => `version: 1\ntests: { suites: { a: { ${body}, tiers: { smoke: ls } } } }\n`;
    expect(problemsOf(suite("cwd: x"))[0]?.message).toBe("suite `a` has no image");
    expect(problemsOf(suite("image: dev"))[0]?.message).toBe("there is no `images.dev`");
  });

  test("a service that no one describes", () => {
    const text =
      "version: 1\ntests: { services: { db: { image: x, port: 1 } }, suites: { a: { image: x, services: [bd], tiers: { smoke: ls } } } }\n";
    expect(problemsOf(text)[0]).toMatchObject({ message: "unknown service `bd`", hint: "did you mean `db`?" });
  });

  test("a tag with a variable that is not filled", () => {
    const text = 'version: 1\nimages: { base: { from: x, tags: ["base-{versoin}"] } }\n';
    expect(problemsOf(text)[0]).toMatchObject({
      message: "unknown tag variable `versoin`",
      hint: "did you mean `version`?",
    });
  });
});

describe("YAML's own means", () => {
  test("anchors and merge keys are followed", () => {
    const { config } = parseConfig(
      "version: 1\nwatch:\n  targets:\n    a: &a { call: test }\n    b:\n      <<: *a\n      needs: [a]\n",
    );
    expect(config?.watch?.targets).toEqual({ a: { call: "test" }, b: { call: "test", needs: ["a"] } });
  });

  test("an alias of nothing, and aliases that would fill the memory, are problems of the file", () => {
    expect(problemsOf("version: 1\nwatch: *nope\n")).toMatchObject([
      { level: "syntax", message: expect.stringContaining("nope") as string },
    ]);
    const bomb = [
      "version: 1",
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ..."bcdefgh".split("").map((name, at) => `${name}: &${name} [${Array(9).fill(`*${"abcdefg"[at]}`).join(",")}]`),
    ];
    expect(problemsOf(bomb.join("\n"))).toMatchObject([
      { level: "syntax", message: expect.stringContaining("alias") as string },
    ]);
  });

  test("one unclosed bracket is one problem, a second document another, none in the words of a library", () => {
    expect(problemsOf("version: 1\nwatch: {targets: {a: {call: x\n").length).toBeLessThanOrEqual(2);
    expect(problemsOf("version: 1\n---\nversion: 1\n")).toMatchObject([
      { message: "there is more than one document in this file" },
    ]);
    expect(problemsOf("version: 1\nwatch: { targets: { a: { call: '' } } }\n")).toMatchObject([
      { message: "must not be empty" },
    ]);
  });
});

test("the place of a word is found in texts of every form", () => {
  const text =
    'version: 1\nwatch:\n  targets:\n    one: { call: "test --sources . --source=." }\n    two:\n      call: >-\n        test\n        --source .\n    three: { call: test }\n';
  const place = (name: string, word?: string): string => {
    const { line, column } = placesIn(text)(["watch", "targets", name, "call"], word);
    return `${line}:${column}`;
  };
  expect([
    place("one"),
    place("one", "test"),
    place("one", "--source"),
    place("two", "--source"),
    place("three", "test"),
    place("three", "absent"),
  ]).toEqual(["4:18", "4:19", "4:36", "8:9", "9:20", "9:20"]);
  expect(place("gone")).toBe("4:5");
});
