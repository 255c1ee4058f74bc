/** The projects of docs/migrating.md, made from the page, and the commands below them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { splitWords } from "../../src/call/grammar/split-words.ts";
import { packageRoot } from "../../src/paths/index.ts";
import { fastloop, type CliResult } from "./cli-process.ts";

const page = readFileSync(path.join(packageRoot(), "docs/migrating.md"), "utf8");
const folder = mkdtempSync(path.join(tmpdir(), "fastloop-migrating-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sections = page
  .split(/^## /m)
  .slice(1)
  .map((text) => ({
    title: text.slice(0, text.indexOf("\n")),
    files: [...text.matchAll(/^`([\w./-]+)`:\n```\w*\n([^]*?)^```/gm)].map(
      ([, name, content]) => [name!, content!] as const,
    ),
    commands: [...text.matchAll(/^```\n((?:fastloop .*\n)+)```/gm)].flatMap(([, lines]) => lines!.trim().split("\n")),
  }));

/** What a command has to say where its exit code alone says little. */
const said: Record<string, (result: CliResult) => void> = {
  "From Make: fastloop run": ({ stdout }) => expect(stdout).toMatch(/^passed +test .* 1 passed /m),
  "From Make: fastloop plan": ({ stdout }) => expect(stdout).toMatch(/^current +lint .*\ncurrent +test /),
  "From Compose: fastloop status": ({ stdout }) => expect(stdout).toMatch(/greeter +healthy/),
  "From Tilt: fastloop up --explain clock": ({ stdout }) =>
    expect(stdout).toMatch(/src\/clock\.js.*sync|sync.*src\/clock\.js/s),
  "From Tilt: fastloop run": ({ stdout }) => expect(stdout).toMatch(/^passed +test .* 1 passed /m),
  "From plain `dagger call`: fastloop functions": ({ stdout }) => expect(stdout).toMatch(/^count /m),
  "From plain `dagger call`: fastloop call count --source texts": ({ stdout }) => expect(stdout.trim()).toBe("4"),
};

test("has a project for each tool", () => {
  expect(sections.map(({ title }) => title)).toEqual([
    "From Make",
    "From Compose",
    "From Tilt",
    "From plain `dagger call`",
  ]);
  const lines = sections.flatMap(({ title, commands }) => commands.map((line) => `${title}: ${line}`));
  expect(lines).toEqual(expect.arrayContaining(Object.keys(said)));
});

describe.each(sections)("$title", ({ title, files, commands }) => {
  const project = path.join(folder, title.replaceAll(/\W+/g, "-"));

  test.each(commands)("%s", { timeout: 600_000 }, async (line) => {
    for (const [name, content] of files) {
      mkdirSync(path.dirname(path.join(project, name)), { recursive: true });
      writeFileSync(path.join(project, name), content);
    }
    mkdirSync(path.join(project, ".git"), { recursive: true });
    // Another number than the page's, for whoever has that one.
    const env = { FASTLOOP_PORT_OFFSET: "21000" };
    const result = await fastloop(splitWords(line.replace(/^fastloop /, ""))!, { cwd: project, env });
    expect(result.exitCode, result.stdout + result.stderr).toBe(0);
    said[`${title}: ${line}`]?.(result);
  });
});
