import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fastloop, type CliResult } from "./cli-process.ts";

const fixture = path.resolve(import.meta.dirname, "../fixtures/modules/dependencies");
let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "fastloop-dependencies-"));
  cpSync(fixture, root, { recursive: true });
  mkdirSync(path.join(root, ".git"));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const app = (...words: string[]): Promise<CliResult> =>
  fastloop(words, { cwd: path.join(root, "app"), env: { TOKEN: "12345" } });

const edit = (file: string, change: (text: string) => string): void =>
  writeFileSync(path.join(root, file), change(readFileSync(path.join(root, file), "utf8")));

describe("functions of modules that a module depends on", () => {
  it("are called in every shape: constructors, objects, lists, enums, core objects both ways, a third module", async () => {
    const { stdout, stderr } = await app("call", "all");
    expect(stdout.trim().split("\n"), stderr).toEqual([
      "hi bob??",
      "hi bob?",
      "hi",
      "T",
      "t+u",
      "A,B",
      "x,y",
      "fast",
      "very-slow",
      "from lib",
      "from lib",
      "from lib",
      "hello-data",
      "base-1",
      "base-1",
      "true",
      "undefined",
      "chained",
    ]);
  });

  it("take secrets, and fail as commands of one's own do", async () => {
    expect((await app("call", "length", "--token", "env://TOKEN")).stdout.trim()).toBe("5");
    const failed = await app("call", "fail");
    expect(failed.exitCode).toBe(7);
    expect(failed.stderr).toContain("oops");
  });

  it("are run again after an edit in them or in what they read, which `why` names", async () => {
    writeFileSync(path.join(root, "app/fastloop.yaml"), "version: 1\nwatch:\n  targets:\n    all:\n      call: all\n");
    expect(await app("run")).toMatchObject({ exitCode: 0 });
    expect((await app("plan")).stdout).toMatch(/^current +all/);
    edit("base/src/index.ts", (text) => text.replace("base-1", "base-2"));
    const why = await app("why", "all");
    expect(why.stdout).toContain("the code of base, basis changed, which the module depends on");
    expect(await app("run")).toMatchObject({ exitCode: 0 });
    edit("lib/data/x.txt", () => "other data\n");
    expect((await app("why", "all")).stdout).toContain("x.txt changed");
    expect((await app("call", "all")).stdout).toMatch(/other data\nbase-2\nbase-2\n/);
  });
});
