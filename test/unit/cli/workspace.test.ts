import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { canRunEngine, startOwnEngine, type OwnEngine } from "../own-engine.ts";
import { fastloop, type CliResult } from "./fastloop.ts";
import { RunningCommand } from "./running.ts";

const fixture = path.resolve(import.meta.dirname, "../../fixtures/modules/workspace");
let engine: OwnEngine | undefined;
let root: string;

beforeAll(async () => {
  if (canRunEngine) engine = await startOwnEngine();
});
afterAll(() => engine?.stop());

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "fastloop-workspace-"));
  cpSync(fixture, root, { recursive: true });
  mkdirSync(path.join(root, ".git"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (name: string, text: string): void => writeFileSync(path.join(root, name), text);
const app = (...words: string[]): Promise<CliResult> => fastloop(words, { cwd: path.join(root, "app") });
const call = (...words: string[]): Promise<CliResult> => app("call", ...words);

describe.runIf(canRunEngine)("a function that takes a Workspace", () => {
  it("reads directories, files and places of the repository, relative ones from where the call is made", async () => {
    expect((await call("names")).stdout).toBe("dagger.json\nsrc/\n");
    expect((await call("names", "--path", "../docs")).stdout).toBe("a.md\nb.txt\n");
    expect((await call("read", "--path", "/docs/b.txt")).stdout).toBe("other\n");
    expect((await call("title")).stdout).toBe("one");
    expect((await call("find", "--name", "docs")).stdout).toBe("/docs");
    expect((await call("find", "--name", "a.md", "--from", "/docs")).stdout).toBe("/docs/a.md");
    expect((await call("find", "--name", "nowhere")).stdout).toBe("null");
    expect((await call("about")).stdout).toBe("app\napp\nfalse\n\n");
    expect((await call("markdown")).stdout).toBe("one\ntwo\n");
  });

  it("filters as a directory of the host is filtered, .gitignore included", async () => {
    write(".gitignore", "*.log\n");
    write("docs/x.log", "log\n");
    expect((await call("docs", "entries")).stdout).toBe("b.txt\n");
  });

  it("reads nothing outside of the repository, through a link neither, and no state of fastloop's", async () => {
    symlinkSync("/etc", path.join(root, "docs/etc"));
    await call("names");
    for (const [words, message] of [
      [["read", "--path", "../../x"], 'workspace path "../../x" leads out of the repository'],
      [["read", "--path", "/docs/etc/hostname"], "leads out of the repository"],
      [["names", "--path", "/docs/etc"], "leads out of the repository"],
      [["find", "--name", "hostname", "--from", "/docs/etc"], "leads out of the repository"],
      [["find", "--name", "../../../etc"], "leads out of the repository"],
      [["names", "--path", ".fastloop"], "fastloop's own state"],
      [["read", "--path", "/nowhere"], "there is no such file"],
      [["names", "--path", "/docs/a.md"], "there is no such directory"],
    ] as const) {
      const refused = await call(...words);
      expect(refused.exitCode, refused.stdout).toBe(1);
      expect(refused.stderr).toContain(message);
    }
    // The link itself is part of a directory, as of any; what it leads to is not.
    expect((await call("names", "--path", "/docs")).stdout).toBe("a.md\nb.txt\netc\n");
  });

  it("is one that declares it: others have none, by whatever name they ask", async () => {
    expect((await call("current")).stderr).toContain("take a `Workspace` as an argument");
    expect((await call("forged")).stderr).toContain("a Workspace is given to functions that declare one");
    expect((await call("checks")).stderr).toContain("Workspace.checks is not served");
  });

  it("may be another module's, which is given the caller's", async () => {
    expect((await call("through-other")).stdout).toBe("one\ntwo\none\ntwo\n");
    expect((await call("injected")).stdout).toBe("one\ntwo\n");
  });

  it("is called again when what it read has changed, and only then", async () => {
    const isCached = async (...words: string[]): Promise<boolean> => (await call(...words)).stderr.includes("cached:");
    const docs = ["names", "--path", "/docs"];
    await call(...docs);
    await call("find", "--name", "style.txt");
    expect(await isCached(...docs)).toBe(true);
    write("notes.txt", "no matter\n");
    expect(await isCached("find", "--name", "style.txt")).toBe(true);
    write("docs/c.md", "new\n");
    expect((await call(...docs)).stdout).toBe("a.md\nb.txt\nc.md\n");
    // It looked there, and something has come.
    write("style.txt", "x\n");
    expect((await call("find", "--name", "style.txt")).stdout).toBe("/style.txt");
    // Only that it is there counts.
    write("style.txt", "y\n");
    expect(await isCached("find", "--name", "style.txt")).toBe(true);
  });

  it("is called again when a link on the way leads elsewhere, and when what was not there has come", async () => {
    mkdirSync(path.join(root, "v1/docs"), { recursive: true });
    mkdirSync(path.join(root, "v2/docs"), { recursive: true });
    write("v1/docs/a.txt", "first\n");
    write("v2/docs/b.txt", "second\n");
    symlinkSync("v1", path.join(root, "current"));
    symlinkSync("v1/docs/a.txt", path.join(root, "linked.txt"));
    symlinkSync("settings.txt", path.join(root, "dangling.txt"));
    const link = (name: string, to: string): void => {
      rmSync(path.join(root, name));
      symlinkSync(to, path.join(root, name));
    };
    expect((await call("names", "--path", "/current/docs")).stdout).toBe("a.txt\n");
    expect((await call("read", "--path", "/linked.txt")).stdout).toBe("first\n");
    expect((await call("find", "--name", "dangling.txt")).stdout).toBe("null");
    expect((await call("find", "--name", "docs", "--from", "/current")).stdout).toBe("/current/docs");
    expect((await call("find", "--name", "a.txt", "--from", "/v2/docs")).stdout).toBe("null");
    expect((await call("names-if-any", "--path", "/later")).stdout).toBe("none");
    expect((await call("names-if-any", "--path", "/deep/er")).stdout).toBe("none");
    link("current", "v2");
    link("linked.txt", "v2/docs/b.txt");
    write("settings.txt", "here\n");
    mkdirSync(path.join(root, "later"));
    write("later/x.txt", "x\n");
    mkdirSync(path.join(root, "deep/er"), { recursive: true });
    write("v2/docs/a.txt", "x\n");
    expect.soft((await call("names", "--path", "/current/docs")).stdout).toBe("a.txt\nb.txt\n");
    expect.soft((await call("read", "--path", "/linked.txt")).stdout).toBe("second\n");
    expect.soft((await call("find", "--name", "dangling.txt")).stdout).toBe("/dangling.txt");
    expect.soft((await call("find", "--name", "a.txt", "--from", "/v2/docs")).stdout).toBe("/v2/docs/a.txt");
    expect.soft((await call("names-if-any", "--path", "/later")).stdout).toBe("x.txt");
    expect.soft((await call("names-if-any", "--path", "/deep/er")).stdout).toBe("");
    rmSync(path.join(root, "settings.txt"));
    expect.soft((await call("find", "--name", "dangling.txt")).stdout).toBe("null");
    symlinkSync("../app/.fastloop", path.join(root, "docs/state"));
    const state = await call("names", "--path", "/docs/state");
    expect.soft(state.stdout + state.stderr).toContain("fastloop's own state");
  });

  it("is not taken for a run that found the same in other places", async () => {
    write("m.txt", "");
    expect((await call("choose")).stdout).toBe("true null");
    rmSync(path.join(root, "m.txt"));
    expect((await call("choose")).stdout).toBe("false null");
    write("b.txt", "");
    expect((await call("choose")).stdout).toBe("false /b.txt");
  });

  it("looks at nothing outside when what was read has become a link that leads out", async () => {
    expect(await app("run")).toMatchObject({ exitCode: 0 });
    const outside = mkdtempSync(path.join(tmpdir(), "fastloop-outside-"));
    writeFileSync(path.join(outside, "a.md"), "one\ntwo\n");
    rmSync(path.join(root, "docs"), { recursive: true });
    symlinkSync(outside, path.join(root, "docs"));
    expect((await app("plan")).stdout).toMatch(/^run +lint/m);
    expect((await app("run")).stdout + (await app("run")).stderr).toContain("leads out of the repository");
    rmSync(outside, { recursive: true });
  });

  it("is run, planned and explained by what it read", async () => {
    expect(await app("run")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("1 passed") });
    write("docs/b.txt", "it never read that\n");
    expect((await app("plan")).stdout).toMatch(/^current +lint/);
    write("docs/a.md", "one\nTODO\n");
    expect((await app("why", "lint")).stdout).toContain("../docs/a.md changed");
    expect(await app("run")).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("there is TODO") });
    write("style.txt", "FIXME\n");
    expect((await app("why", "lint")).stdout).toContain("../style.txt added");
    expect(await app("run")).toMatchObject({ exitCode: 0 });
    expect((await app("why", "lint")).stdout).toMatch(/workspace +\.\.\/style\.txt /);
  });

  it("is watched by what it read, from its first run on", async () => {
    const watch = new RunningCommand(path.join(root, "app"), [], "watch");
    expect(await watch.next("finished", "lint")).toMatchObject({ outcome: "passed" });
    await watch.next("settled");
    write("docs/a.md", "one\nTODO\n");
    expect(await watch.next("finished", "lint")).toMatchObject({ outcome: "failed" });
    write("style.txt", "FIXME\n");
    expect(await watch.next("finished", "lint")).toMatchObject({ outcome: "passed" });
    await watch.next("settled");
    expect(watch.events.filter(({ event }) => event === "restored")).toEqual([]);
    expect(await watch.kill("SIGINT")).toBe(130);
  });
});
