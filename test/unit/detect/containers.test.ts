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
  // A file that nobody may read is there to be refused, though the test calls that by a name of its own.
  for (const taken of ["os.chmod(file, ~stat.S_IRWXU)", "path.chmod(0)", "os.chmod(str(path), 0o000)"])
    expect([taken, tiersOf({ ...python, "tests/conftest.py": `    ${taken}\n` }).fast?.at(-1)]).toEqual([
      taken,
      `${asOwner} python -m pytest $TEST_ARGS`,
    ]);
  expect(tiersOf({ ...python, "tests/conftest.py": "os.chmod(file, 0o755)\n" }).fast?.at(-1)).not.toContain(asOwner);
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

test("a workspace below the root is tested from its own folder, and nothing outside concerns it", () => {
  const pkg = (name: string, more: object) => JSON.stringify({ name, scripts: { test: "node --test" }, ...more });
  const { suites } = detect({
    "api/main.py": "",
    "web/README.md": "",
    "web/package.json": JSON.stringify({ private: true, workspaces: ["packages/*"] }),
    "web/package-lock.json": "{}",
    "web/packages/a/package.json": pkg("a", {}),
    "web/packages/b/package.json": pkg("b", { dependencies: { a: "*" } }),
    "other.txt": "",
  });
  expect(suites.map(({ name, root, inputs, tiers }) => ({ name, root, inputs, fast: tiers.fast }))).toEqual([
    {
      name: "a",
      root: "web",
      inputs: ["web/package-lock.json", "web/package.json", "web/packages/a/"],
      fast: ["(cd packages/a && npm run test)"],
    },
    {
      name: "b",
      root: "web",
      inputs: ["web/package-lock.json", "web/package.json", "web/packages/a/", "web/packages/b/"],
      fast: ["(cd packages/b && npm run test)"],
    },
  ]);
});

test("a package in a folder of its own is concerned by that folder alone", () => {
  const { suites } = detect({
    "go.mod": "module a\n",
    "a.go": "package a",
    "web/README.md": "",
    "web/package.json": '{"scripts":{"test":"node --test"}}',
  });
  expect(suites.find(({ folder }) => folder === "web")?.inputs).toEqual(["web/", "!web/README.md"]);
});

test("versions that no image has are told, with what is taken", () => {
  const node = (pinned: string, engines: string) =>
    detectProject(
      {
        list: [".nvmrc", "package-lock.json", "package.json"],
        read: (file) =>
          file === ".nvmrc" ? pinned : JSON.stringify({ engines: { node: engines }, scripts: { test: "node --test" } }),
      },
      { nodes: [22] },
    ).notes;
  expect(node("12", "")).toEqual([
    expect.stringContaining("Node 12 is pinned, and there is no image of it here: Node 18"),
  ]);
  expect(node("", ">=99")).toEqual([expect.stringContaining("satisfies `>=99`: Node 22 is taken")]);
  for (const [pinned, engines] of [
    ["22", ""],
    ["20", ""],
    ["", ">=18"],
    ["lts/*", ""],
    ["", ""],
  ] as const)
    expect(node(pinned, engines)).toEqual([]);
  const python = (requires: string) =>
    detect({ "pyproject.toml": `[project]\nname = "a"\nrequires-python = "${requires}"`, "test_a.py": "" }).notes;
  expect(python(">=3.99")).toEqual([expect.stringContaining("satisfies `>=3.99`: 3.11 is taken")]);
  expect(python(">=3.9")).toEqual([]);
});
