import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { History } from "../../../src/run/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { annotation, catalogue, exampleModule, findingText, validate, type CheckCode, type Finding } from "../../../src/validate/index.ts"; // prettier-ignore
import { hostReads } from "../../../src/validate/lints/bodies.ts";

const codes = Object.entries(catalogue) as [CheckCode, (typeof catalogue)[CheckCode]][];

/** A project with the example in it, a git repository whose runs took long. */
function project(config: string, module = exampleModule): string {
  const root = mkdtempSync(path.join(tmpdir(), "fastloop-validate-"));
  for (const folder of ["ci/src", "lib", "docs"]) mkdirSync(path.join(root, folder), { recursive: true });
  const files = {
    "dagger.json": JSON.stringify({
      name: "example",
      engineVersion: "v0.21.4",
      sdk: { source: "typescript" },
      source: "ci",
    }),
    "ci/package.json": `{ "type": "module" }`,
    "ci/src/index.ts": module,
    "lib/a.txt": "a",
    "docs/a.md": "a",
    "fastloop.yaml": config,
  };
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(root, file), text);
  git(root, "init", "-q");
  git(root, "add", ".");
  git(root, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "a");
  const history = new History(new ProjectState(root));
  for (let run = 0; run < 5; run++)
    history.add({ id: `${run}`, target: "test", at: Date.now() - run, outcome: "passed", durationMs: 60_000, digest: "d", tier: "smoke" }); // prettier-ignore
  return root;
}

const git = (root: string, ...words: string[]): void => void execFileSync("git", words, { cwd: root });

const findings = async (root: string, level: "syntax" | "structure" | "semantic" = "semantic"): Promise<Finding[]> =>
  (await validate({ cwd: root, file: path.join(root, "fastloop.yaml"), environment: process.env, level })).findings;

describe("the example of", () => {
  test.each(codes)(
    "%s brings it about, at a place, in its level",
    async (code, { level, severity, example, module }) => {
      const root = project(example, module);
      if (code === "edited-unread") writeFileSync(path.join(root, "stray.txt"), "a");
      const found = (await findings(root)).filter((finding) => finding.code === code);
      expect(found.length).toBeGreaterThan(0);
      for (const finding of found) expect(finding).toMatchObject({ level, severity });
      expect(found[0]?.place).toMatch(code === "broken-module" ? /^\S+/ : /^\S+:\d+:\d+$/);
    },
  );
});

test("what is right is found to be so, and the second look costs no parsing", async () => {
  const root = project("version: 1\nwatch:\n  targets:\n    test: { call: test --source lib, inputs: [lib/] }\n");
  expect(await findings(root)).toEqual([]);
  expect(await findings(root)).toEqual([]);
});

test("edited files are told where targets read such files, and git does not ignore them", async () => {
  const root = project(
    "version: 1\nwatch:\n  targets:\n    test: { call: test --source ., inputs: [lib/, docs/parts/] }\n",
  );
  mkdirSync(path.join(root, "docs/parts"));
  mkdirSync(path.join(root, "other"));
  const edit = (file: string): void => writeFileSync(path.join(root, file), "b");
  for (const file of ["docs/a.md", "lib/a.txt", "ci/src/other.ts", "ci/notes.txt", "none", "other/b.txt"]) edit(file);
  writeFileSync(path.join(root, ".gitignore"), "*.gen.txt\n");
  edit("a.gen.txt");
  expect(await findings(root)).toEqual([]);
  for (const file of ["a.txt", "docs/b.txt"]) edit(file);
  const [{ code, message, place, hint } = {}, ...others] = await findings(root);
  expect(others).toEqual([]);
  expect([code, place]).toEqual(["edited-unread", "fastloop.yaml:4:5"]);
  expect(message).toBe('"a.txt", "docs/b.txt" are edited, and no target reads them: such an edit runs nothing');
  expect(hint).toContain('name "a.txt" in the inputs');
});

test("edited files are told where another target's folder is not there, or is a file", async () => {
  const targets = ["gone", "lib/a.txt", "lib"].map((at) => `    t${at.length}: { call: test --source ${at} }\n`);
  const root = project(`version: 1\nwatch:\n  targets:\n${targets.join("")}`);
  writeFileSync(path.join(root, "stray.txt"), "a");
  const messages = (await findings(root)).filter(({ code }) => code === "edited-unread").map((found) => found.message);
  expect(messages).toEqual([expect.stringContaining('"stray.txt" is edited')]);
});

test("a level is not looked at where the one before is wrong, nor where it is not asked for", async () => {
  const root = project("version: 1\nwach: {}\nimages: { base: { from: node } }\n");
  expect((await findings(root)).map(({ code }) => code)).toEqual(["unknown-key"]);
  expect(await findings(root, "syntax")).toEqual([]);
  expect(await findings(project(catalogue["unpinned-image"].example), "structure")).toEqual([]);
});

test("the page of codes is the catalogue", () => {
  const page = readFileSync(path.resolve(import.meta.dirname, "../../../docs/validate.md"), "utf8");
  const told = [...page.matchAll(/^### `([\w-]+)`/gm)].map((match) => match[1]);
  expect(told).toEqual(codes.map(([code]) => code));
  for (const [code, { title, example }] of codes) {
    expect(page, code).toContain(title);
    expect(page, code).toContain(example.trimEnd());
  }
});

test("images with a version, a digest, or of the file itself are no finding", async () => {
  const config = `version: 1
images:
  base: { from: "registry.example:5000/node:22" }
  dev: { base: base }
  prod: { from: "node@sha256:${"0".repeat(64)}" }
tests:
  services: { db: { image: "registry.example:5000/postgres", port: 5432 } }
  suites: { a: { image: base, tiers: { fast: npm test } } }
watch: { targets: { test: { call: test --source lib, inputs: [lib/] } } }
`;
  expect((await findings(project(config))).map(({ code, line }) => [code, line])).toEqual([["unpinned-image", 7]]);
});

describe("what a body reads of the host", () => {
  test("is told once for each thing, with its place", () => {
    const source = `import { readFileSync } from "node:fs"\nimport fs from 'fs'\nconst a = 1\n  + process.env.A + process.env.B\n`;
    expect(hostReads(source)).toEqual([
      { what: "node:fs", line: 1, column: 25 },
      { what: "process.env", line: 4, column: 5 },
    ]);
  });

  test.each([
    ["in a comment", `// process.env.HOME\n/* import "node:fs"\n process.cwd() */\n`],
    ["in a text", `const text = "process.env.HOME"; const other = 'from "node:fs"'\n`],
    ["of another name", `import { env } from "./fs.ts"; preprocess.env; import path from "node:path"\n`],
  ])("is none %s", (_where, source) => {
    expect(hostReads(source)).toEqual([]);
  });

  test("is seen inside of templates", () => {
    expect(hostReads("const a = `${process.env.HOME}`\n").map(({ what }) => what)).toEqual(["process.env"]);
  });
});

describe("a finding is shown", () => {
  const finding: Finding = {
    code: "wrong-call",
    severity: "error",
    level: "semantic",
    place: "fastloop.yaml:3:7",
    file: "a,b:c.yaml",
    line: 3,
    column: 7,
    message: "100%\nbad\u001b[2J",
    hint: "mend it",
  };

  test("with place, code and hint", () => {
    expect(findingText(finding)).toMatch(/^fastloop\.yaml:3:7: wrong-call: 100%\n/);
    expect(findingText(finding)).not.toContain("\u001b");
    expect(findingText({ ...finding, severity: "warning" })).toContain(": warning: wrong-call: ");
  });

  test("as an annotation whose text cannot begin another command", () => {
    expect(annotation(finding)).toBe(
      "::error file=a%2Cb%3Ac.yaml,line=3,col=7,title=wrong-call::100%25%0Abad\u001b[2J (mend it)",
    );
    expect(
      annotation({ ...finding, file: undefined, line: undefined, column: undefined, place: "ci/src/index.ts:9:2" }),
    ).toContain("file=ci/src/index.ts,line=9,col=2,");
  });
});
