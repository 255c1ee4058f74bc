import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../../../src/cli/commands.ts";
import { manualPages, referencePage } from "../../../src/cli/reference/main.ts";
import { readReference } from "../../../src/cli/reference/read.ts";

const root = path.resolve(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

/** They write the configuration, or are about this machine. */
const readNone = ["completion", "demo", "engine logs", "engine start", "engine status", "engine stop", "init", "setup"];

describe("the reference", () => {
  it("is current (npm run build, node tools/generate.mjs)", async () => {
    expect(await referencePage()).toBe(read("docs/reference.md"));
  });

  it("has every command that is no secret, and each option's words", async () => {
    const { groups } = await readReference("1.2.3");
    const told = groups.flatMap((group) => group.commands);
    const shown = Object.entries(commands).filter(([, entry]) => entry.hidden !== true);
    for (const [name] of shown) expect(told.map((command) => command.name)).toContain(name);
    for (const { name, description, options } of told) {
      expect(description, name).not.toBe("");
      for (const [term, text] of options) expect(text, `${name} ${term}`).not.toBe("");
    }
  });

  it("has --config at every command that reads the configuration", async () => {
    const { groups } = await readReference("1.2.3");
    const told = groups.flatMap((group) => group.commands);
    const without = told.filter(({ name, options, more }) => {
      const isParent = told.some((other) => other.name.startsWith(`${name} `));
      return !isParent && !options.some(([term]) => term.startsWith("--config ")) && !/^ +--config /m.test(more);
    });
    expect(without.map(({ name }) => name).sort()).toEqual(readNone);
  });

  it("is a page for man of each command, which man can read", async () => {
    const pages = await manualPages("1.2.3");
    expect(pages.has("fastloop-cache-clear.1")).toBe(true);
    // Nothing that roff would obey comes out of a text.
    for (const [name, text] of pages)
      for (const line of text.split("\n")) expect(line, name).toMatch(/^($|[^.']|\.(TH|SH|SS|TP|B|BR|nf|fi)\b)/);
    if (spawnSync("man", ["--version"]).error !== undefined) return;
    const folder = mkdtempSync(path.join(tmpdir(), "fastloop-man-"));
    const file = path.join(folder, "fastloop-run.1");
    writeFileSync(file, pages.get("fastloop-run.1")!);
    const shown = execFileSync("man", ["-l", "-P", "cat", file], {
      encoding: "utf8",
      env: { ...process.env, MANWIDTH: "100", LC_ALL: "C.UTF-8" },
    }).replace(new RegExp(`.${String.fromCharCode(8)}`, "gu"), "");
    rmSync(folder, { recursive: true });
    expect(shown).toMatch(/^NAME\n +fastloop-run - run the functions/m);
    expect(shown).toMatch(/^ +--fail-fast\n/m);
    expect(shown).toMatch(/^ +fastloop run /m);
  });
});

/** What README and docs give to type: lines of code blocks, and code in sentences and tables. */
function commandLines(page: string): string[] {
  const text = read(page);
  const blocks = [...text.matchAll(/^```(?:sh|console|bash)?\n([^]*?)^```/gm)].flatMap(([, body]) => body!.split("\n"));
  const spans = [...text.replace(/^```[^]*?^```/gm, "").matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  return [...blocks, ...spans]
    .map((line) => line.replace(/\\\|/g, "|").replace(/^\$ /, "").trim())
    .filter((line) => /^(?:npx )?fastloop(?: |$)/.test(line));
}

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(path.join(root, "docs")).map((name) => `docs/${name}`),
].filter((name) => name.endsWith(".md") && existsSync(path.join(root, name)));

describe("what the documents give to type", () => {
  it("are commands and options that there are", async () => {
    const { program, groups } = await readReference("");
    const optionsOf = (rows: readonly [string, string][]): string[] =>
      rows.flatMap(([term]) => [...term.matchAll(/--?[A-Za-z][\w-]*/g)].map(([option]) => option));
    const shared = new Set(optionsOf(program.options));
    const known = new Map(
      groups.flatMap(({ commands: list }) => list).map(({ name, options }) => [name, new Set(optionsOf(options))]),
    );
    const wrong = pages.flatMap((page) =>
      commandLines(page).flatMap((line) => {
        const problem = problemOf(line, known, shared);
        return problem === undefined ? [] : [`${page}: ${line}: ${problem}`];
      }),
    );
    expect(pages.flatMap(commandLines).length).toBeGreaterThan(150);
    expect(wrong).toEqual([]);
  });
});

/** Words in capitals, `…` and the like stand for the reader's own. */
function problemOf(line: string, known: Map<string, Set<string>>, shared: Set<string>): string | undefined {
  const words = line
    .replace(/^npx /, "")
    .replace(/ (?:#|&&|\||>|;) ?.*$/, "")
    .replace(/ {2,}.*$/, "")
    .split(" ")
    .slice(1);
  const names: string[] = [];
  const given: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "--") break;
    if (word.startsWith("-")) {
      given.push(
        word
          .replace(/^\[/, "")
          .split("=")[0]!
          .replace(/[\],.|]+.*$/, ""),
      );
      if (["-C", "-m", "--engine", "--buildkit-host", "--directory", "--module"].includes(word)) at++;
    } else names.push(word);
  }
  const [first = "", second = ""] = names;
  if (first === "" || first === "help" || !/^[a-z-]+$/.test(first)) return undefined;
  const command = known.has(`${first} ${second}`) ? `${first} ${second}` : first;
  if (!known.has(command)) return `there is no command ${first}`;
  // What follows a function's name in a call is the module's.
  if (["call", "session", "completion"].includes(first)) return undefined;
  const options = new Set([...shared, ...known.get(command)!, ...known.get(first)!]);
  const unknown = given.find((option) => /^--?[a-z]/i.test(option) && !options.has(option));
  return unknown === undefined ? undefined : `there is no option ${unknown}`;
}
