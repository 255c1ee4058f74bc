import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fastloop } from "./fastloop.ts";

let empty: string;
let project: string;

beforeAll(() => {
  empty = mkdtempSync(path.join(tmpdir(), "fastloop-empty-"));
  project = mkdtempSync(path.join(tmpdir(), "fastloop-cli-"));
  mkdirSync(path.join(project, "src"));
  writeFileSync(path.join(project, "dagger.json"), '{"name":"it","engineVersion":"v0.21.4","sdk":"typescript"}');
  writeFileSync(
    path.join(project, "src/index.ts"),
    'import { check, func, object } from "@dagger.io/dagger"\n@object()\nexport class It {\n  /** Does it. */\n  @func()\n  @check()\n  doIt(level = "high"): string {\n    return level\n  }\n}\n',
  );
});
afterAll(() => {
  rmSync(empty, { recursive: true });
  rmSync(project, { recursive: true });
});

describe("the command line", () => {
  it("knows its commands, and names the one that was meant", async () => {
    const help = await fastloop(["--help"], { cwd: empty });
    expect(help.exitCode).toBe(0);
    for (const name of ["call", "functions", "watch", "run", "plan", "completion"])
      expect(help.stdout).toMatch(new RegExp(`^  [\\w-]+  .*\\b${name}\\b`, "m"));
    // On one screen.
    expect(help.stdout.split("\n").length).toBeLessThan(40);
    expect(await fastloop(["help", "loop"], { cwd: empty })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^  watch +rerun what each edit affects$/m),
    });
    expect(await fastloop(["functoins"], { cwd: empty })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("hint: did you mean functions?"),
    });
    expect(await fastloop(["functions", "--jsn"], { cwd: empty })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--json"),
    });
  });

  it("says where to look when words are missing or too many", async () => {
    for (const words of [["cache", "clear", "soft"], ["deploy"]])
      expect(await fastloop(words, { cwd: empty })).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining("hint: `--help` behind the command shows what it takes"),
      });
  });

  it("refuses help for a command that does not exist, as it refuses the command", async () => {
    for (const words of [
      ["wach", "--help"],
      ["wach", "-h"],
      ["help", "wach"],
      ["--json", "wach", "--help"],
    ])
      expect(await fastloop(words, { cwd: empty })).toMatchObject({
        exitCode: 2,
        stdout: "",
        stderr: expect.stringContaining("unknown command 'wach'"),
      });
    expect((await fastloop(["--json", "wach"], { cwd: empty })).stderr).toBe(
      `{"error":{"code":"usage","message":"unknown command 'wach'","hint":"did you mean watch?","exitCode":2}}\n`,
    );
    expect((await fastloop(["nonsense"], { cwd: empty })).stderr).toBe(
      "error: unknown command 'nonsense'\nhint: `fastloop --help` lists the commands\n",
    );
  });

  it("has help for call and init where no project is, and leaves nothing there", async () => {
    const call = await fastloop(["call", "--help"], { cwd: empty });
    expect(call).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("no module here or in a folder above") });
    expect(call.stdout).toMatch(/^ {2}test +Runs the test suites/m);
    const test = await fastloop(["call", "test", "--help"], { cwd: empty });
    expect(test).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("--tier Tier") });
    expect((await fastloop(["init", "--help"], { cwd: empty })).stdout).toContain("--ci");
    expect(readdirSync(empty)).toEqual([]);
    expect(await fastloop(["call", "test"], { cwd: empty })).toMatchObject({ exitCode: 2 });
  });

  it("validates every watched call, its values and what follows it", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "fastloop-validate-"));
    const calls = { good: "do-it --level low", piped: "do-it | cat" };
    const targets = Object.entries(calls).map(([name, call]) => `    ${name}: { call: "${call}" }\n`);
    writeFileSync(path.join(folder, "fastloop.yaml"), `version: 1\nwatch:\n  targets:\n${targets.join("")}`);
    const piped = await fastloop(["-m", project, "validate"], { cwd: folder });
    expect(piped).toMatchObject({
      exitCode: 2,
      stdout: expect.stringMatching(
        /^fastloop\.yaml:5:27: wrong-call: watch\.targets\.piped: .*nothing can follow "do-it"/,
      ),
    });
    writeFileSync(
      path.join(folder, "fastloop.yaml"),
      'version: 1\nwatch:\n  targets:\n    one: { call: "do-ti" }\n    two: { call: "do-it --lvl low --and more" }\n',
    );
    const { stdout } = await fastloop(["-m", project, "validate", "--json"], { cwd: folder });
    expect(
      (JSON.parse(stdout) as { problems: { place: string; message: string }[] }).problems.map(
        ({ place, message }) => `${place} ${message}`,
      ),
    ).toEqual([
      'fastloop.yaml:4:19 watch.targets.one: It has no function "do-ti"',
      'fastloop.yaml:5:25 watch.targets.two: "do-it" has no argument --lvl',
      'fastloop.yaml:5:35 watch.targets.two: "do-it" has no argument --and',
    ]);
    writeFileSync(path.join(folder, "fastloop.yaml"), `version: 1\nwatch:\n  targets:\n${targets[0]}`);
    expect(await fastloop(["-m", project, "validate"], { cwd: folder })).toMatchObject({ exitCode: 0 });
    rmSync(folder, { recursive: true });
  });

  it("takes what the machine refuses for no bug of its own", async () => {
    expect(await fastloop(["-C", path.join(project, "dagger.json"), "plan"], { cwd: empty })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("there is no such folder"),
    });
  });

  it("takes no option for another one's value, and no time at all for a limit", async () => {
    for (const words of [
      ["affected", "--since", "--json"],
      ["-C", "--json", "plan"],
      ["run", "--timeout", "-v"],
      ["call", "-o", "--silent", "do-it"],
    ]) {
      expect(await fastloop(words, { cwd: project })).toMatchObject({
        exitCode: 2,
        stdout: "",
        stderr: expect.stringContaining("a value is missing"),
      });
    }
    for (const flag of ["--timeout", "--deadline"]) {
      expect(await fastloop(["run", flag, "0s"], { cwd: project })).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining(`${flag}: 0s leaves no time to run in`),
      });
    }
  });

  it("prints the engine's log as JSON lines where JSON was asked for", async () => {
    const state = path.join(empty, "state");
    mkdirSync(path.join(state, "fastloop/engine"), { recursive: true });
    writeFileSync(path.join(state, "fastloop/engine/engine.log"), "2026-01-01T00:00:00.000Z engine: started\nodd\n");
    const { exitCode, stdout } = await fastloop(["engine", "logs", "--json"], {
      cwd: empty,
      env: { XDG_STATE_HOME: state },
    });
    expect(exitCode).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([{ at: "2026-01-01T00:00:00.000Z", source: "engine", text: "started" }, { text: "odd" }]);
    rmSync(state, { recursive: true });
  });

  it("ends a watch of what is not there at once, as a run", async () => {
    for (const command of ["run", "watch"]) {
      expect(await fastloop([command, "nope"], { cwd: project })).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('there is no function "nope"'),
      });
    }
  });

  it("leaves no folder of its own where there is no project, and none that is empty where nothing came of a run", async () => {
    for (const words of [["run"], ["watch"], ["plan"], ["call", "x"], ["run", "nope"]]) {
      expect(await fastloop(words, { cwd: empty })).toMatchObject({ exitCode: 2 });
      expect(existsSync(path.join(empty, ".fastloop"))).toBe(false);
    }
    await fastloop(["run", "nope"], { cwd: project });
    expect(existsSync(path.join(project, ".fastloop/lock"))).toBe(false);
  });

  it("has help with examples for every command", async () => {
    const { stdout } = await fastloop(["--help"], { cwd: empty });
    const commands = (/^Commands:\n([\s\S]*?)\n\n/m.exec(stdout)?.[1] ?? "")
      .split("\n")
      .flatMap((line) => line.trim().split(/ {2,}/)[1]?.split(", ") ?? []);
    expect(commands.length).toBeGreaterThan(15);
    for (const name of commands.filter((command) => !["help", "call"].includes(command))) {
      const help = await fastloop([name, "--help"], { cwd: project });
      expect([name, help.exitCode, /^Examples?:/m.test(help.stdout)]).toEqual([name, 0, true]);
    }
  });

  it("prints errors as JSON where JSON was asked for", async () => {
    const missing = await fastloop(["functions", "--json"], { cwd: empty });
    expect(missing).toMatchObject({ exitCode: 2, stdout: "" });
    expect(JSON.parse(missing.stderr)).toMatchObject({
      error: {
        code: "module",
        message: "neither a fastloop.yaml that names a module nor a dagger.json here or in a folder above",
        exitCode: 2,
      },
    });
    const unknown = await fastloop(["functions", "--json", "--wrong"], { cwd: project });
    expect(JSON.parse(unknown.stderr)).toMatchObject({ error: { code: "usage", exitCode: 2 } });
  });

  it("uses colour only where it belongs", async () => {
    const escape = "\u001b[";
    expect((await fastloop(["functions"], { cwd: empty })).stderr).not.toContain(escape);
    expect((await fastloop(["functions"], { cwd: empty, env: { FORCE_COLOR: "1" } })).stderr).toContain(escape);
    expect(
      (await fastloop(["functions", "--no-color"], { cwd: empty, env: { FORCE_COLOR: "1" } })).stderr,
    ).not.toContain(escape);
  });
});

describe("fastloop functions", () => {
  it("lists a module's functions without an engine, from any folder below it", async () => {
    const env = { PATH: "/nowhere", FASTLOOP_ENGINE: "dagger" };
    expect(await fastloop(["functions"], { cwd: path.join(project, "src"), env })).toEqual({
      exitCode: 0,
      stdout: "Name    Description\ndo-it   Does it.\n",
      stderr: "",
    });
    const verbose = await fastloop(["functions", "-v", "-m", project], { cwd: empty, env });
    expect(verbose.stdout).toBe('do-it  Does it. [check]\n  --level string = "high"\n  returns string\n');
    const json = JSON.parse((await fastloop(["functions", "--json"], { cwd: project, env })).stdout) as {
      objects: { It: unknown };
    };
    expect(json.objects.It).toMatchObject({ functions: { doIt: { isCheck: true, place: "src/index.ts:7" } } });
  });

  it("refuses a module elsewhere with the reason", async () => {
    const remote = await fastloop(["functions", "-m", "github.com/dagger/dagger/modules/wolfi"], { cwd: empty });
    expect(remote.stderr).toContain("a remote module needs a Dagger engine");
    expect(remote.exitCode).toBe(1);
  });
});

describe("completion", () => {
  const complete = async (...words: string[]): Promise<string[]> =>
    (await fastloop(["complete", "--", ...words], { cwd: project })).stdout
      .split("\n")
      .map((line) => line.split("\t")[0] ?? "")
      .filter((word) => word !== "");

  it("offers commands, functions and flags", async () => {
    expect(await complete("func")).toEqual(["functions"]);
    expect(await complete("call", "")).toEqual(["do-it"]);
    expect(await complete("call", "do-it", "--")).toEqual(["--level"]);
    expect(await complete("functions", "--js")).toEqual(["--json"]);
    expect(await complete("engine", "logs", "--fo")).toEqual(["--follow"]);
  });

  it.each(["run", "watch", "why"])("offers the functions of the project after %s, each once", async (command) => {
    expect(await complete(command, "d")).toEqual(["do-it"]);
    expect(await complete(command, "do-it", "d")).toEqual([]);
    const configured = mkdtempSync(path.join(tmpdir(), "fastloop-complete-"));
    writeFileSync(
      path.join(configured, "fastloop.yaml"),
      "version: 1\nwatch: { targets: { lib: { call: a }, api: { call: b } } }\n",
    );
    expect(await complete("-C", configured, command, "")).toEqual(expect.arrayContaining(["lib", "api"]));
    rmSync(configured, { recursive: true });
  });

  it.each(["bash", "zsh", "fish"])("has a script for %s", async (shell) => {
    expect((await fastloop(["completion", shell], { cwd: empty })).stdout).toContain("fastloop complete -- ");
  });
});
