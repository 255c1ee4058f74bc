import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkConfigFile, parsedConfig, placeInConfig } from "../../../src/config/check.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { needsFirst, unknown } from "../../../src/config/references.ts";
import { editDistance, suggest } from "../../../src/config/suggest.ts";
import { problemsOf } from "./problems.ts";

const suite = "image: x, tiers: { fast: ls }";

describe("watch", () => {
  test.each<[title: string, text: string, problems: string[]]>([
    ["targets that need each other in order", "watch: { targets: { a: { call: x, needs: [b] }, b: { call: y } } }", []],
    [
      "a need that is no target",
      "watch: { targets: { lib: { call: x }, api: { call: y, needs: [lib, lob] } } }",
      ["2:68 watch.targets.api.needs.1 (semantic unknown-reference) unknown target `lob` | did you mean `lib`?"],
    ],
    [
      "a need that is like no target",
      "watch: { targets: { lib: { call: x }, web: { call: z }, api: { call: y, needs: [zzzzzz] } } }",
      ["2:81 watch.targets.api.needs.0 (semantic unknown-reference) unknown target `zzzzzz` | known: lib, web, api"],
    ],
    [
      "a circle behind a target that is not part of it",
      "watch:\n  targets:\n    a: { call: x, needs: [b] }\n    b: { call: x, needs: [c] }\n    c: { call: x, needs: [b] }",
      ["5:26 watch.targets.b.needs (semantic circle) targets need each other in a circle: b -> c -> b"],
    ],
    [
      "a target that needs itself",
      "watch: { targets: { a: { call: x, needs: [a] } } }",
      ["2:42 watch.targets.a.needs (semantic circle) targets need each other in a circle: a -> a"],
    ],
  ])("%s", (_title, text, problems) => expect(problemsOf(text)).toEqual(problems));
});

describe("tests", () => {
  test.each<[title: string, text: string, problems: string[]]>([
    ["a service by a preset", "tests: { suites: {}, services: { db: { preset: postgres } } }", []],
    ["a service by image and port", "tests: { suites: {}, services: { db: { image: x, port: 5432 } } }", []],
    [
      "a service without an image",
      "tests: { suites: {}, services: { db: { port: 5432 } } }",
      [
        "2:38 tests.services.db (semantic contradiction) service `db` has no image | name an `image` and a `port`, or a `preset`",
      ],
    ],
    [
      "a service without a port",
      "tests: { suites: {}, services: { db: { image: x } } }",
      [
        "2:38 tests.services.db (semantic contradiction) service `db` has no port | name an `image` and a `port`, or a `preset`",
      ],
    ],
    [
      "migrations that nothing runs",
      "tests: { suites: {}, services: { db: { image: x, port: 1, migrations: { folder: m } } } }",
      [
        "2:71 tests.services.db.migrations (semantic contradiction) `run` is missing | only the preset postgres knows how to run a folder of migrations",
      ],
    ],
    [
      "migrations with a command",
      "tests: { suites: {}, services: { db: { image: x, port: 1, migrations: { folder: m, run: ./m.sh } } } }",
      [],
    ],
    [
      "a suite without an image",
      "tests: { suites: { unit: { tiers: { fast: ls } } } }",
      ["2:26 tests.suites.unit (semantic contradiction) suite `unit` has no image | name an `image` or a `preset`"],
    ],
    ["a suite by a preset", "tests: { suites: { unit: { preset: npm, tiers: { fast: ls } } } }", []],
    [
      "a suite in a base that is not there",
      "tests: { suites: { unit: { image: base, tiers: { fast: ls } } } }",
      ["2:35 tests.suites.unit.image (semantic contradiction) there is no `images.base`"],
    ],
    [
      "a suite in the base",
      "images: { base: { from: debian } }\ntests: { suites: { unit: { image: base, tiers: { fast: ls } } } }",
      [],
    ],
    [
      "a suite in a dev image that is not there",
      "images: { base: { from: debian } }\ntests: { suites: { unit: { image: dev, tiers: { fast: ls } } } }",
      ["3:35 tests.suites.unit.image (semantic contradiction) there is no `images.dev`"],
    ],
    [
      "a suite in the dev image",
      "images: { dev: { base: debian } }\ntests: { suites: { unit: { image: dev, tiers: { fast: ls } } } }",
      [],
    ],
    [
      "a suite without tiers",
      "tests: { suites: { unit: { image: x, tiers: {} } } }",
      ["2:45 tests.suites.unit.tiers (semantic contradiction) suite `unit` has no tier"],
    ],
    [
      "services of suites and tiers",
      `tests: { services: { db: { preset: postgres } }, suites: { unit: { image: x, services: [db], tiers: { fast: { run: ls, services: [db] } } } } }`,
      [],
    ],
    [
      "services of suites and tiers that are not there",
      `tests: { services: { db: { preset: postgres } }, suites: { unit: { ${suite}, services: [dbb] }, e2e: { image: x, tiers: { full: { run: ls, services: [queue] } } } } }`,
      [
        "2:110 tests.suites.unit.services.0 (semantic unknown-reference) unknown service `dbb` | did you mean `db`?",
        "2:172 tests.suites.e2e.tiers.full.services.0 (semantic unknown-reference) unknown service `queue` | known: db",
      ],
    ],
    [
      "a service where there are none",
      `tests: { suites: { unit: { ${suite}, services: [db] } } }`,
      ["2:70 tests.suites.unit.services.0 (semantic unknown-reference) unknown service `db`"],
    ],
  ])("%s", (_title, text, problems) => expect(problemsOf(text)).toEqual(problems));
});

describe("deploy", () => {
  const app = "manifests: [k8s/]";
  test.each<[title: string, text: string, problems: string[]]>([
    [
      "an app of each kind",
      "deploy: { environments: {}, apps: { a: { manifests: [k8s/] }, b: { kustomize: k }, c: { helm: { chart: c } }, d: { custom: { apply: x, delete: y, inputs: [z] } } } }",
      [],
    ],
    [
      "an app with nothing to deploy",
      "deploy: { environments: {}, apps: { web: {} } }",
      [
        "2:42 deploy.apps.web (semantic contradiction) app `web` has nothing to deploy | name one of `manifests`, `kustomize`, `helm`, `custom`",
      ],
    ],
    [
      "an app in two ways",
      `deploy: { environments: {}, apps: { web: { ${app}, kustomize: k } } }`,
      [
        "2:42 deploy.apps.web (semantic contradiction) app `web` has more than one way to be described | name one of `manifests`, `kustomize`, `helm`, `custom`",
      ],
    ],
    [
      "production without a context",
      "deploy: { apps: {}, environments: { live: { production: true } } }",
      [
        "2:43 deploy.environments.live (semantic contradiction) `live` is production and names no context | add the kubeconfig `context` of its cluster",
      ],
    ],
    [
      "production with a context",
      "deploy: { apps: {}, environments: { live: { production: true, context: eu } } }",
      [],
    ],
    ["another environment without a context", "deploy: { apps: {}, environments: { dev: { watch: true } } }", []],
    [
      "production at each edit",
      "deploy: { apps: {}, environments: { live: { production: true, context: eu, watch: true } } }",
      [
        "2:83 deploy.environments.live.watch (semantic contradiction) `live` is production, which does not allow deploying on each edit | leave `watch` out",
      ],
    ],
    [
      "ports that can be",
      `deploy: { environments: {}, apps: { web: { ${app}, forward: ["1:65535"] }, api: { ${app}, forward: ["65535:1", "8080:service/api:90"] } } }`,
      [],
    ],
    [
      "a port of the machine below all ports",
      `deploy: { environments: {}, apps: { web: { ${app}, forward: ["0:80"] } } }`,
      [
        "2:73 deploy.apps.web.forward.0 (semantic contradiction) `0:80` has a port that there is not | ports are 1 to 65535",
      ],
    ],
    [
      "a port of the pod above all ports",
      `deploy: { environments: {}, apps: { web: { ${app}, forward: ["8080:65536"] } } }`,
      [
        "2:73 deploy.apps.web.forward.0 (semantic contradiction) `8080:65536` has a port that there is not | ports are 1 to 65535",
      ],
    ],
    [
      "a port that another app has",
      `deploy: { environments: {}, apps: { web: { ${app}, forward: ["8080:80"] }, api: { ${app}, forward: ["8081:80", "8080:90"] } } }`,
      [
        "2:134 deploy.apps.api.forward.1 (semantic contradiction) the port 8080 is that of `web` already | take another one",
      ],
    ],
  ])("%s", (_title, text, problems) => expect(problemsOf(text)).toEqual(problems));
});

describe("images", () => {
  test.each<[title: string, text: string, problems: string[]]>([
    [
      "each variable of a tag",
      'images: { base: { from: debian, version: "1", tags: ["{version}", "{toolchain}", "{toolchainVersion}", "{YYYY.MM.DD}", "{YYYY-MM-DD}", "{key}"] } }',
      [],
    ],
    [
      "a variable that there is not",
      'images: { base: { from: debian, tags: ["a", "b-{kay}"] } }',
      ["2:45 images.base.tags.1 (semantic unknown-reference) unknown tag variable `kay` | did you mean `key`?"],
    ],
    [
      "a version that is not given",
      'images: { base: { from: debian, tags: ["a", "{version}"] } }',
      ["2:45 images.base.tags.1 (semantic contradiction) `{version}` is used, but `images.base.version` is missing"],
    ],
    ["tags without a version", "images: { base: { from: debian, tags: [a] } }", []],
    [
      "a dev image of a base that is not there",
      "images: { dev: { base: base } }",
      [
        "2:16 images.dev (semantic contradiction) `images.dev` starts from `images.base`, which is missing | name a `base` image or a `preset`",
      ],
    ],
    [
      "a dev image of nothing",
      "images: { dev: {} }",
      [
        "2:16 images.dev (semantic contradiction) `images.dev` starts from `images.base`, which is missing | name a `base` image or a `preset`",
      ],
    ],
    ["a dev image of its own", "images: { dev: { base: debian } }", []],
    ["a dev image by a preset", "images: { dev: { preset: npm } }", []],
    ["a dev image of the base", "images: { base: { from: debian }, dev: {} }", []],
  ])("%s", (_title, text, problems) => expect(problemsOf(text)).toEqual(problems));
});

describe("levels, places and codes", () => {
  test.each<[title: string, text: string, problems: string[]]>([
    [
      "what is no YAML",
      "watch: [",
      ["3:1  (syntax yaml-syntax) Flow sequence in block collection must be sufficiently indented and end with a ]"],
    ],
    ["two documents", "---\nversion: 1", ["2:1  (syntax yaml-syntax) there is more than one document in this file"]],
    [
      "an alias of nothing",
      "watch: *nothing",
      ["1:1  (syntax yaml-syntax) Unresolved alias (the anchor must be set before the alias): nothing"],
    ],
    ["an unknown key", "wotch: {}", ["2:1 wotch (structure unknown-key) unknown key `wotch` | did you mean `watch`?"]],
    [
      "a key that is missing",
      "watch: { targets: { a: {} } }",
      ["2:24 watch.targets.a.call (structure missing-key) `call` is missing"],
    ],
    [
      "a value of the wrong kind",
      "watch: { targets: 3 }",
      ["2:19 watch.targets (structure wrong-value) expected a map, got a number"],
    ],
    [
      "a list in the place of a text",
      "watch: { debounce: [1] }",
      ["2:20 watch.debounce (structure wrong-value) expected a text, got a list"],
    ],
    [
      "nothing in the place of a map",
      "watch: { targets: { a: } }",
      ["2:24 watch.targets.a (structure wrong-value) expected a map, got nothing"],
    ],
    [
      "true in the place of a list",
      "watch: { targets: { a: { call: x, inputs: true } } }",
      ["2:43 watch.targets.a.inputs (structure wrong-value) expected a list, got true"],
    ],
    [
      "a text in the place of a number",
      "records: { keep: many }",
      ["2:18 records.keep (structure wrong-value) expected a number, got a text"],
    ],
    [
      "a map in the place of true or false",
      "deploy: { apps: {}, environments: { a: { prune: { b: c } } } }",
      ["2:49 deploy.environments.a.prune (structure wrong-value) expected true or false, got a map"],
    ],
    [
      "problems in the order of the file",
      "tests: 3\nwatch: 4\ncache: { a: 1, b: 2 }",
      [
        "2:8 tests (structure wrong-value) expected a map, got a number",
        "3:8 watch (structure wrong-value) expected a map, got a number",
        "4:10 cache.a (structure unknown-key) unknown key `a` | known here: from, to",
        "4:16 cache.b (structure unknown-key) unknown key `b` | known here: from, to",
      ],
    ],
  ])("%s", (_title, text, problems) => expect(problemsOf(text)).toEqual(problems));

  test("of a file that is none of ours the first 50 are told", () => {
    const text = Array.from({ length: 80 }, (_, index) => `key${index}: 1`).join("\n");
    expect(problemsOf(text)).toHaveLength(50);
    expect(problemsOf(text)[49]).toMatch(/^51:1 key49 /);
  });

  test("each level that was looked at is told", () => {
    const levels = (text: string): string[] => {
      const seen: string[] = [];
      parseConfig(text, (level) => seen.push(level));
      return seen;
    };
    expect(levels("a: [")).toEqual([]);
    expect(levels("version: 2")).toEqual(["syntax", "structure"]);
  });
});

describe("a file", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-meaning-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const check = async (text: string) => {
    const file = path.join(folder, "fastloop.yaml");
    writeFileSync(file, text);
    const { problems, tookMs } = await checkConfigFile(file);
    return { codes: problems.map(({ code }) => code), tookMs };
  };

  test("is checked level by level, each with the time that it took", async () => {
    const good = await check("version: 1\n");
    expect(good.codes).toEqual([]);
    expect(Object.keys(good.tookMs)).toEqual(["syntax", "structure", "semantic"]);
    for (const ms of Object.values(good.tookMs)) {
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThan(performance.now());
    }
  });

  test("is checked as far as its first level with a problem", async () => {
    const syntax = await check("a: [\n");
    expect(syntax.codes).toEqual(["yaml-syntax"]);
    expect(Object.keys(syntax.tookMs)).toEqual(["syntax"]);
    const structure = await check("version: 2\n");
    expect(structure.codes).toEqual(["wrong-value"]);
    expect(Object.keys(structure.tookMs)).toEqual(["syntax", "structure"]);
  });

  test("has places for values, and for words in them", async () => {
    const text = "version: 1\nwatch:\n  targets:\n    lib: { call: test --suite lib.x, inputs: [lib] }\n";
    expect(await placeInConfig(text, ["watch", "targets", "lib", "call"])).toEqual({ line: 4, column: 18 });
    expect(await placeInConfig(text, ["watch", "targets", "lib", "call"], "lib.x")).toEqual({ line: 4, column: 31 });
    expect(await placeInConfig(text, ["watch", "targets", "lib", "call"], "libax")).toEqual({ line: 4, column: 18 });
    expect(await placeInConfig(text, ["watch", "targets", "web", "call"], "lib")).toEqual({ line: 4, column: 5 });
    expect(await placeInConfig("", ["watch"], "lib")).toEqual({ line: 1, column: 1 });
  });

  test("is read from a text that lies nowhere", async () => {
    expect(await parsedConfig("version: 1\n")).toEqual({ config: { version: 1 }, problems: [] });
  });
});

describe("names", () => {
  test("one that is like none is told with those that there are", () => {
    expect(unknown(["a", 0], "target", "zzz", ["lib", "api"])).toEqual({
      path: ["a", 0],
      code: "unknown-reference",
      message: "unknown target `zzz`",
      hint: "known: lib, api",
    });
    expect(unknown([], "target", "zzz", []).hint).toBeUndefined();
  });

  test("of equally near ones the first is meant", () => {
    expect(suggest("lab", ["lib", "lob"])).toBe("lib");
    expect(suggest("WATCH", ["targets", "watch"])).toBe("watch");
  });

  test("distances", () => {
    const distances = (pairs: readonly (readonly [string, string])[]): number[] =>
      pairs.map((pair) => editDistance(...pair));
    expect(
      distances([
        ["", ""],
        ["", "abc"],
        ["abc", ""],
        ["abc", "abc"],
        ["abc", "abd"],
      ]),
    ).toEqual([0, 3, 3, 0, 1]);
    expect(
      distances([
        ["ab", "ba"],
        ["xab", "xba"],
        ["abx", "bay"],
        ["ab", "bc"],
        ["abcd", "badc"],
      ]),
    ).toEqual([1, 1, 2, 2, 2]);
    expect(
      distances([
        ["aab", "aba"],
        ["ba", "aab"],
        ["abab", "ba"],
        ["xyab", "zzba"],
      ]),
    ).toEqual([1, 2, 2, 3]);
  });

  test("a circle is found wherever it is, and looked for once", () => {
    const asked: string[] = [];
    const needs: Record<string, string[]> = { a: ["b", "c"], b: ["d"], c: ["d"], d: [], e: ["f"], f: ["g"], g: ["f"] };
    const needsOf = (name: string): string[] => {
      asked.push(name);
      return needs[name] ?? [];
    };
    expect(needsFirst(["a", "e"], needsOf).circle).toEqual(["f", "g", "f"]);
    expect(asked).toEqual(["a", "b", "d", "c", "e", "f", "g"]);
    expect(needsFirst(["a"], needsOf).circle).toBeUndefined();
    expect(needsFirst(["c", "a"], needsOf).order).toEqual(["d", "c", "b", "a"]);
  });

  test("a chain of a hundred thousand needs no deeper stack", () => {
    const names = Array.from({ length: 100_000 }, (_, index) => `${index}`);
    const { order } = needsFirst(names, (name) => (name === "99999" ? [] : [`${Number(name) + 1}`]));
    expect(order).toEqual(names.toReversed());
  });
});
