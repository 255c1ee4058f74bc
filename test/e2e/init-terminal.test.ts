import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fastloop } from "./cli-process.ts";
import { TerminalProcess } from "./terminal-process.ts";

let root: string;
const terminals: TerminalProcess[] = [];
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "fastloop-init-"));
  mkdirSync(path.join(root, ".github"));
  writeFileSync(path.join(root, "package.json"), '{"scripts":{"test":"node --test"}}');
});
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.remove();
  rmSync(root, { recursive: true });
});
const init = (...words: string[]): TerminalProcess => {
  const terminal = new TerminalProcess(root, ["init", ...words]);
  terminals.push(terminal);
  return terminal;
};

describe("fastloop init on a terminal", () => {
  test("asks for a module and for a workflow, and writes what was said", async () => {
    const terminal = init();
    await terminal.shows("app: package.json, fast");
    await terminal.shows("A module of your own in pipelines/");
    terminal.press("what?\r");
    await terminal.shows("y for yes, n for no");
    terminal.press("\r");
    await terminal.shows("Write .github/workflows/fastloop.yml");
    terminal.press("y\r");
    expect(await terminal.end()).toContain("ended with 0");
    expect(existsSync(path.join(root, "dagger.json"))).toBe(false);
    expect(readFileSync(path.join(root, "fastloop.yaml"), "utf8")).toContain("module: fastloop");
    expect(existsSync(path.join(root, ".github/workflows/fastloop.yml"))).toBe(true);
  });

  test("takes the end of what is typed for no", async () => {
    const terminal = init();
    await terminal.shows("A module of your own in pipelines/");
    terminal.press("\x04");
    await terminal.shows("Write .github/workflows/fastloop.yml");
    terminal.press("\x04");
    expect(await terminal.end()).toMatch(/wrote fastloop\.yaml[^]*ended with 0/);
    expect(existsSync(path.join(root, "dagger.json"))).toBe(false);
  });

  test("asks nothing with --yes, nor where no terminal is", async () => {
    expect(await init("--yes").end()).toMatch(/wrote fastloop\.yaml[^]*ended with 0/);
    rmSync(path.join(root, "fastloop.yaml"));
    expect(await fastloop(["init"], { cwd: root })).toMatchObject({ exitCode: 0 });
  });

  test("workflows that call dagger alone need a module in the repository", async () => {
    expect(await fastloop(["init", "--ci", "github", "--ci-calls", "dagger"], { cwd: root })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("add --module"),
    });
    const made = await fastloop(["init", "--module", "--ci", "github", "--ci-calls", "dagger"], { cwd: root });
    expect(made.exitCode, made.stderr).toBe(0);
    expect(readFileSync(path.join(root, ".github/workflows/fastloop.yml"), "utf8")).toContain(
      "- run: dagger call test --source . --tier",
    );
  });
});
