import { expect, test } from "vitest";
import { detectProject, type DetectedSuite } from "../../../src/detect/index.ts";

/** What a repository needs because it is tested in a container: as root, in a slim image. */
function detect(files: Record<string, string>) {
  return detectProject({ list: Object.keys(files).toSorted(), read: (file) => files[file] ?? "" });
}
const tiersOf = (files: Record<string, string>): DetectedSuite["tiers"] => detect(files).suites[0]!.tiers;
const asOwner = "setpriv --bounding-set=-dac_override,-dac_read_search --";

test("tests that expect a refused file run without root's right to pass over modes", () => {
  const go = { "go.mod": "module a\n", "a.go": "package a" };
  expect(tiersOf({ ...go, "a_test.go": "errors.Is(err, os.ErrPermission)" })).toEqual({
    smoke: ["go vet ./..."],
    fast: [`${asOwner} go test -short \${TEST_ARGS:-./...}`],
    full: [`${asOwner} go test \${TEST_ARGS:-./...}`],
  });
  expect(tiersOf({ ...go, "a_test.go": "package a" }).fast).toEqual(["go test -short ${TEST_ARGS:-./...}"]);
  const python = { "pyproject.toml": '[project]\nname = "a"\n', "a.py": "" };
  const test = "path.chmod(0o400)\nwith pytest.raises(PermissionError): path.write_text('x')";
  expect(tiersOf({ ...python, "tests/test_a.py": test }).fast?.at(-1)).toBe(`${asOwner} python -m pytest $TEST_ARGS`);
  expect(tiersOf({ ...python, "tests/test_a.py": "raise PermissionError" }).fast?.at(-1)).toBe(
    "python -m pytest $TEST_ARGS",
  );
});

test("a Python project with C in it gets a compiler and Python's headers, one that only mentions some does not", () => {
  const python = { "pyproject.toml": '[project]\nname = "a"\n', "tests/test_a.py": "" };
  const setup = "setup(ext_modules=[Extension('a', ['a.c'])])";
  const compilers = ["libc6-dev", "python3-dev"];
  expect(detect({ ...python, "setup.py": setup, "src/a.c": "" }).packages).toEqual(["gcc", ...compilers]);
  expect(detect({ ...python, "setup.py": setup, "src/a.cpp": "" }).packages).toEqual(["g++", ...compilers]);
  expect(detect({ ...python, "setup.py": setup }).packages).toEqual([]);
  expect(detect({ ...python, "setup.py": "setup()", "src/a.c": "" }).packages).toEqual([]);
});

test("bun is there where tests or scripts start it, not where they speak of it", () => {
  const suite = (test: string, script = "node --test") =>
    detect({ "package.json": JSON.stringify({ scripts: { test: script } }), "test/a.test.js": test }).suites[0]!;
  expect(suite("await exec('bun pm pack')").install).toContain("npm install --global bun");
  expect(suite("", "node --test && bun run x").install).toContain("npm install --global bun");
  expect(suite("pm === 'bun' // bun is fast").install).not.toContain("npm install --global bun");
});

test("where nothing can be tested, the reason is told", () => {
  const notesOf = (text: string) => detect({ "package.json": text }).notes.join("\n");
  expect(notesOf("{")).toContain("package.json is not valid JSON");
  expect(notesOf('{"scripts":{"test":"vitest --watch"}}')).toContain("`test` watches and does not end by itself");
  expect(notesOf("{}")).toContain("has no script that tests or checks anything");
});

test("-w of a package manager names a workspace, and watches nothing", () => {
  const tiers = (test: string) =>
    detect({ "package.json": JSON.stringify({ scripts: { test } }) }).suites[0]?.tiers.fast;
  for (const test of ["npm test -w packages/a -w packages/b", "pnpm -w run check", "tsc && npm run x -w a && mocha"])
    expect(tiers(test), test).toEqual(["npm run test"]);
  for (const test of ["mocha -w", "npm run x -w a && tsc -w", "tsc --watch"]) expect(tiers(test), test).toBeUndefined();
});
