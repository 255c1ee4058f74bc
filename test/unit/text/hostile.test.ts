import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { matchAdvisories } from "../../../pipelines/src/advisories.ts";
import { pythonGraph } from "../../../pipelines/src/import-graph.ts";
import { lockedComponents } from "../../../pipelines/src/sbom.ts";
import { isOfThisMachine } from "../../../src/core-api/network/addresses.ts";
import { substitute } from "../../../src/core-api/container/env-file.ts";
import { parseValues } from "../../../src/call/grammar/parse-value.ts";
import { durationMs } from "../../../src/cli/call/cache-lifetime.ts";
import { summaryOf } from "../../../src/cli/call/render-functions.ts";
import { asWritten } from "../../../src/cli/commands/watches.ts";
import { explain, isImmutable } from "../../../src/deploy/apply/plan-changes.ts";
import { ApiError } from "../../../src/deploy/cluster/client.ts";
import { repositoryOf } from "../../../src/deploy/objects/image-references.ts";
import { isDelegating, nodeRunner, watchingTest } from "../../../src/detect/node/node-scripts.ts";
import { withoutPrivate } from "../../../src/doctor/report.ts";
import { fileReadAgain } from "../../../src/engine/trees/moving.ts";
import { unavailableImage } from "../../../src/engine/unavailable-image.ts";
import type { ArgumentInfo, ModuleInfo } from "../../../src/module/index.ts";
import { parseGitSource } from "../../../src/module/git/git-source.ts";
import { parsePlacedJson } from "../../../src/module/manifest/json-places.ts";
import { placeInToml } from "../../../src/module/manifest/manifest-toml.ts";
import { introspectionProblem } from "../../../src/module/scan/problems.ts";
import { suggestionFor } from "../../../src/plan/inputs/suggestion.ts";
import { namedInputs } from "../../../src/plan/inputs/named-inputs.ts";
import { shortName } from "../../../src/report/text.ts";
import { isTracked } from "../../../src/state/git-index.ts";
import { TrackedFiles } from "../../../src/tree/git/git-index.ts";
import { failedTests, failureAdvice, scriptOnOneLine, testCounts, testTimes } from "../../../src/text/index.ts";

const long = (pump: string): string => pump.repeat(200_000 / pump.length);
const nobody = { home: "/home/nobody", user: "nobody", host: "nowhere", project: "/p" };
const refused = (reason: string): Error =>
  new Error(`failed to resolve image "a.example/b:1" (platform: "linux/amd64"): ${reason}`);

const refusal = (message: string): string => explain(new ApiError(422, { message }), { kind: "ConfigMap" });

/** Texts that a pattern with two ways to read the same characters goes over again for each of them. */
const readings: [what: string, read: () => unknown][] = [
  ["an address", () => isOfThisMachine(`${long("%")}\n`)],
  ["an image", () => repositoryOf(`${long("@")}\n@`)],
  ["a value of an env file", () => substitute(long("${a:-"), () => undefined)],
  ["a value of an env file that closes", () => substitute(`${long("${a:-")}}`, () => undefined)],
  ["a refusal of a cluster", () => refusal(long(", got &value.valueUnstructured{"))],
  ["an image that can't be had", () => unavailableImage(refused(`${long("401 Aa (")}\n`), "/nowhere")],
  ["a script that delegates", () => isDelegating({ test: long("pnpm ") }, "test")],
  ["a script that watches", () => watchingTest({ test: `npm${long(" -w")} npm ${long("npm ")}` })],
  ["a script with a runner", () => nodeRunner(long("node "))],
  ["a report's host names", () => withoutPrivate(long("0."), nobody)],
  ["an address of git", () => parseGitSource(`github.com/a/b${long("/")}c`)],
  ["a table of TOML", () => placeInToml("a.toml", long("["), ["a"])],
  [
    "a problem of the sources",
    () => introspectionProblem("/p", [], new Error(`x at /a:1:1${long("\t")}x${long(" /a")}`)),
  ],
  ["a problem without a place", () => introspectionProblem("/p", [], new Error(long(" /a")))],
  ["an entry of inputs", () => suggestionFor(`{${long(",")}{`, "/nowhere", [])],
  ["extras of requirements", () => lockedComponents("requirements.txt", long("a[\n"))],
  ["lock files", () => ["Cargo.lock", "go.sum"].map((name) => lockedComponents(name, long('[[package]]\nname = "')))],
  [
    "many versions of one package",
    () =>
      matchAdvisories(
        Array.from({ length: 60_000 }, (_, index) => ({ ecosystem: "npm", name: "a", version: `1.0.${index}` })),
        [],
      ),
  ],
  ["git's configuration", () => readRepository({ config: long("\n"), index: "DIRC" })],
  ["a link to git's folder", () => readRepository(`gitdir: ${long("\n")}x`)],
  ["a link to git's common folder", () => readRepository({ commondir: `${long("\n")}x`, index: "DIRC" })],
  ["a description of a function", () => summaryOf(`${long("a ")}\na`)],
  ["a file that moves", () => fileReadAgain(new Error(long("a: ")))],
  ["a number of a call", () => expect(() => number(`${long("0")}x`)).toThrow("a number was expected")],
  ["a duration", () => durationMs(long("0"))],
  ["a script", () => scriptOnOneLine(`a${long(" ")}b`)],
  ["a name of a step", () => shortName(`exec sh -ec ${'eval "$1" '.repeat(60_000)}`)],
  ["a pattern of slashes", () => asWritten([`!${long("/")}a`, "a"])],
  ["inputs of slashes", () => namedInputs(["a", `!${long("/")}a`], "/nowhere", [])],
  ["a change that a cluster refuses", () => isImmutable(new ApiError(422, { message: long("updates to ") }))],
  ["errors of tests", () => testCounts(`1 failed, ${long("0")} in 1.0s\n`)],
  ["a total of tests", () => testCounts(`Tests:${long(" ")}`)],
  ["names of failed tests", () => failedTests(many((index) => `FAILED a${index}.py\n`))],
  ["times of tests", () => testTimes(`✓ a${long(" ")}b`)],
  ["times of files of tests", () => testTimes(`✓ ${long("(1 test | ")} 1 s`)],
  [
    "calls in a traceback",
    () => failureAdvice(`${`${"x".repeat(196)}${"os.exec".repeat(28)}\n`.repeat(12_000)}FileNotFoundError: `),
  ],
  ["extras of requirements with other line ends", () => lockedComponents("requirements.txt", long("a[\r"))],
  ["imports of dots", () => pythonGraph(`./a.py:1:from ${long(".")}`)],
  ["imports of blanks", () => pythonGraph(`./a.py:1:from${long(" ")}a`)],
  ["lines of imports", () => pythonGraph(`./a${long(":0:")}\r`)],
  ["a long key of JSON", () => parsePlacedJson(`{"${long("k")}":{${many((index) => `"${index}":1,`)}"a":1}}`)],
  ["counts of tests", () => testCounts(`      Tests  1 passed ${long("0")}\nTests: ${long("0")}\n`)],
];

/** A hundred thousand different texts. */
function many(text: (index: number) => string): string {
  return Array.from({ length: 100_000 }, (_, index) => text(index)).join("");
}

function number(text: string): void {
  const argument = { name: "a", description: "", type: { kind: "float" } } as ArgumentInfo;
  parseValues(argument, [text], { module: {} as ModuleInfo, cwd: "/" });
}

/** Reads a repository whose `.git` is a file: with this text, or one that leads to a folder with these files. */
function readRepository(dotGit: string | Record<string, string>): void {
  const repository = mkdtempSync(path.join(tmpdir(), "fastloop-hostile-"));
  try {
    const place = path.join(repository, ".git");
    if (typeof dotGit === "string") writeFileSync(place, dotGit);
    else {
      const folder = path.join(repository, "git");
      mkdirSync(folder);
      for (const [name, text] of Object.entries(dotGit)) writeFileSync(path.join(folder, name), text);
      writeFileSync(place, "gitdir: git\n");
    }
    TrackedFiles.of(repository);
    isTracked(path.join(repository, ".fastloop"));
  } finally {
    rmSync(repository, { recursive: true, force: true });
  }
}

test.each(readings)("%s that is hostile is read in a time that grows with its length", (_what, read) => {
  const before = process.cpuUsage();
  read();
  expect(process.cpuUsage(before).user).toBeLessThan(3_000_000);
});

test("what is read of fair texts is what it was", () => {
  expect(summaryOf("One. Two e.g. this. Three\nfour. Five.")).toBe("One. Two e.g. this.");
  expect(fileReadAgain(new Error("solve: a/b: c d changed while it was being read: x\ny"))).toBe("c d");
  expect([durationMs("1.5h30m"), durationMs("1h 30m"), durationMs("x1h")]).toEqual([
    5_400_000 + 1_800_000,
    undefined,
    undefined,
  ]);
  expect(scriptOnOneLine("if a; then\n  b\n\n  c \\\n d\nfi  e")).toBe("if a; then b; c d; fi e");
  expect(failedTests("--- FAIL: A (0.1s)\n    --- FAIL: A/b (0.1s)\n--- FAIL: A-b (0.1s)\n")).toEqual(["A/b", "A-b"]);
  expect(testTimes("✓ a  b   12 ms\n✓ f.test.ts (3 tests | 1 failed) 5ms\n")).toEqual([["a  b", 12]]);
  const traceback = "  File subprocess.py\n    raise\nFileNotFoundError: [Errno 2] No such file or directory: 'git'\n";
  expect(failureAdvice(traceback)).toMatch(/^git is not in the image/);
  expect(failureAdvice(traceback.replace("subprocess", "a"))).toBeUndefined();
  expect(isImmutable(new ApiError(422, { message: "Updates to spec are forbidden" }))).toBe(true);
  expect(isImmutable(new ApiError(422, { message: "forbidden: updates to" }))).toBe(false);
  expect(repositoryOf("host:5000/a/b:1@sha256:00")).toBe("host:5000/a/b");
  expect(substitute("$a-${b:-c}-\\$a ${d $a", (name) => (name === "a" ? "1" : undefined))).toBe("1-c-\\$a ${d 1");
  const got = `, got &value.valueUnstructured{Value:map[string]interface {}{"key":"${"v".repeat(20_000)}"}}`;
  expect([refusal(`no string${got}, and more`), refusal(`no string${got.slice(0, 15_000)}`)]).toEqual([
    "no string, and more",
    "no string",
  ]);
  expect(isDelegating({ test: "pnpm -r test" }, "test")).toBe(true);
  expect(isDelegating({ test: "pnpm test; ls -r" }, "test")).toBe(false);
  expect(isDelegating({ test: "pnpm run unit", unit: "mocha -r ts-node/register" }, "test")).toBe(false);
  expect(watchingTest({ test: "npm test -w a -w b && vitest" })).toBeUndefined();
  expect(nodeRunner("cross-env A=1 node --import tsx --test src")).toBe("node");
  expect(withoutPrivate("at foo_bar.corp.example:8080, ..b.corp.example and a-.x", nobody)).toBe(
    "at NAME, ..NAME and a-.x",
  );
  expect(placeInToml("a.toml", '[[a]]\n[["b"]]\nname = 1\n', ["b", "0", "name"])).toBe("a.toml:3");
  expect(unavailableImage(refused("x: 401 Unauthorized (no password is known)"), "/nowhere")?.message).toContain(
    "401 Unauthorized (no password is known)",
  );
});
