/** The commands of README and docs, as they stand there, in their order, on what they are about. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";
import { splitWords } from "../../src/call/grammar/split-words.ts";
import { fastloop, type CliResult } from "./cli-process.ts";
import { WatchProcess } from "./loop-project.ts";

const read = (page: string): string => readFileSync(path.join(packageRoot(), page), "utf8");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-documents-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `fastloop ...` or `npx fastloop ...` as the words behind it. */
const wordsOf = (line: string): string[] => splitWords(line.replace(/^(npx )?fastloop /, ""))!;

describe("README's tour", () => {
  /** What is typed -> what it is for. */
  const rows = [...read("README.md").matchAll(/^\| ([^|]+) \| (`fastloop [^|]+`) \|$/gm)].flatMap(([, what, cells]) =>
    [...cells!.matchAll(/`(fastloop [^`]+)`/g)].map(([, line]) => [line!, what!] as const),
  );
  const checkout = (): string => path.join(folder, "checkout");

  beforeAll(() => {
    for (const name of ["dagger.json", "fastloop.yaml", "pipelines", "examples/shop"])
      cpSync(path.join(packageRoot(), name), path.join(checkout(), name), {
        recursive: true,
        filter: (file) => !/node_modules|\.fastloop/.test(path.relative(packageRoot(), file)),
      });
    mkdirSync(path.join(checkout(), ".git"));
    mkdirSync(path.join(folder, "my-project"));
    writeFileSync(
      path.join(folder, "my-project/package.json"),
      JSON.stringify({ name: "mine", version: "1.0.0", scripts: { test: "node --test" } }),
    );
    writeFileSync(path.join(checkout(), "script.mjs"), "console.log(process.env.DAGGER_SESSION_PORT > 0);");
  });

  const said: Record<string, (result: CliResult) => void> = {
    "fastloop functions": ({ stdout }) => expect(stdout).toMatch(/^build-base /m),
    "fastloop call test --source examples/shop --tier smoke": ({ stdout }) => expect(stdout).toMatch(/passed/),
    // The watch before it ran all of it.
    "fastloop -C examples/shop run": ({ stdout }) => expect(stdout).toMatch(/^3 current \(nothing to run\)/),
    "fastloop -C examples/shop plan": ({ stdout }) => expect(stdout).toMatch(/worker/),
    "fastloop -C examples/shop why api": ({ stdout }) => expect(stdout).toMatch(/api/),
    "fastloop -C examples/shop validate": ({ stdout, stderr }) => expect(stdout + stderr).toMatch(/fastloop\.yaml/),
    "fastloop -C ../my-project init --dry-run": ({ stdout }) => expect(stdout).toMatch(/^version: 1$/m),
    "fastloop session -- node script.mjs": ({ stdout }) => expect(stdout).toBe("true\n"),
    "fastloop engine status": ({ stdout }) => expect(stdout).toMatch(/buildkit/i),
  };

  test("has a check for each of its lines", () => {
    expect(rows.map(([line]) => line).toSorted()).toEqual(
      [...Object.keys(said), "fastloop -C examples/shop watch"].toSorted(),
    );
  });

  test.each(rows)("%s: %s", async (line) => {
    if (line.endsWith(" watch")) {
      const watch = new WatchProcess(path.join(checkout(), "examples/shop"), []);
      await watch.next("settled");
      await watch.kill("SIGINT");
      return;
    }
    const result = await fastloop(wordsOf(line), { cwd: checkout() });
    expect(result.exitCode, result.stderr).toBe(0);
    said[line]!(result);
  });
});

describe("getting started", () => {
  const page = read("docs/getting-started.md");
  /** Lines of the page's blocks that call fastloop, without what is said beside them. */
  const lines = [...page.matchAll(/^```\n([^]*?)^```/gm)]
    .flatMap(([, block]) => block!.split("\n"))
    .filter((line) => line.startsWith("npx fastloop "))
    .map((line) => line.replace(/ +#.*$/, ""));
  const project = (): string => path.join(folder, "mine");

  beforeAll(() => {
    mkdirSync(path.join(project(), ".git"), { recursive: true });
    const files = {
      "package.json": JSON.stringify({
        name: "mine",
        version: "1.0.0",
        type: "module",
        scripts: { test: "node --test" },
      }),
      "package-lock.json": JSON.stringify({
        name: "mine",
        version: "1.0.0",
        lockfileVersion: 3,
        packages: { "": { name: "mine", version: "1.0.0" } },
      }),
      "sum.js": "export const sum = (a, b) => a + b;\n",
      "sum.test.js":
        'import test from "node:test";\nimport assert from "node:assert";\nimport { sum } from "./sum.js";\ntest("adds", () => assert.equal(sum(1, 2), 3));\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(project(), name), text);
  });

  test("has the lines that are tried here", () => {
    expect(lines).toEqual([
      "npx fastloop init --dry-run",
      "npx fastloop init --module",
      "npx fastloop validate",
      "npx fastloop run",
      "npx fastloop watch",
      "npx fastloop init --ci github",
    ]);
  });

  test.each(lines)("%s", async (line) => {
    if (line.endsWith(" watch")) {
      const watch = new WatchProcess(project(), []);
      expect(await watch.next("settled")).toMatchObject({ failed: [] });
      await watch.kill("SIGINT");
      return;
    }
    const result = await fastloop(wordsOf(line), { cwd: project() });
    expect(result.exitCode, result.stdout + result.stderr).toBe(0);
    if (line.endsWith(" run")) expect(result.stdout).toMatch(/^passed +\S+ .* 1 passed /m);
  });
});
