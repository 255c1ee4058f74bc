/** Verbs about the engine and the machine, on an engine in this process. */
import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LoopProject } from "../../e2e/loop-project.ts";
import { canRunEngine, startOwnEngine, type OwnEngine } from "../own-engine.ts";
import { fastloop, startFastloop } from "./fastloop.ts";

let project: LoopProject;
let engine: OwnEngine;

describe.runIf(canRunEngine)("verbs about the engine and the machine", () => {
  beforeAll(async () => {
    engine = await startOwnEngine();
    project = new LoopProject(fastloop);
  });
  afterAll(async () => {
    await project.remove();
    await engine.stop();
  });

  const json = async (...words: string[]): Promise<unknown> => {
    const { stdout, stderr } = await project.run(...words, "--json");
    try {
      return JSON.parse(stdout) as unknown;
    } catch {
      throw new Error(`${words.join(" ")}: ${stdout}${stderr}`);
    }
  };

  test("status says that it runs and for whom, start that it runs already", async () => {
    const text = (await project.run("engine", "status")).stdout;
    expect(text).toMatch(/^fastloop 0\.0\.0 on buildkit v[\d.]+, pid \d+\n {2}sessions {2}0, idle for /);
    expect(text).toContain(`buildkit  ${engine.buildkit}`);
    expect(await json("engine", "status")).toMatchObject({ running: true, sessions: 0, pid: process.pid });
    expect((await project.run("engine", "start")).stderr).toContain("already running: fastloop 0.0.0");
    expect(await json("engine", "start")).toMatchObject({ running: true });
    expect(await project.run("engine", "start", "--idle", "7s")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("it is already running, and stops after 10 min"),
    });
  });

  test("logs shows the last lines, as objects too, and follows what is appended", async () => {
    expect((await project.run("engine", "logs", "-n", "1")).stdout.split("\n")).toHaveLength(2);
    expect((await project.run("engine", "logs", "-n", "0")).stdout).toBe("");
    expect(await project.run("engine", "logs", "-n", "some")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("some is not a number of lines"),
    });
    const log = path.join(engine.state, "engine.log");
    expect(existsSync(log)).toBe(true);
    let shown = "";
    const follow = startFastloop(["engine", "logs", "--follow", "-n", "1", "--json"], {
      cwd: project.root,
      onOutput: (_stream, text) => {
        // Its first line is the last one that was there.
        if (shown === "") appendFileSync(log, "2026-01-01T00:00:00.000Z test: first of two\nsecond");
        shown += text;
        if (text.includes("first of two")) appendFileSync(log, " lines\n");
        if (text.includes("second")) follow.interrupt("seen");
      },
    });
    await follow.ended;
    const lines = shown
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines).toContainEqual({ at: "2026-01-01T00:00:00.000Z", source: "test", text: "first of two" });
    // What had no end yet is shown once it is whole.
    expect(lines).toContainEqual({ text: "second lines" });
  });

  test("session gives a program the session, and passes its exit code on", async () => {
    const marker = project.at("seen");
    const script = `printf %s "$DAGGER_SESSION_PORT" > ${marker}; exit 7`;
    expect(await project.run("-v", "session", "--", "sh", "-c", script)).toMatchObject({
      exitCode: 7,
      stderr: expect.stringContaining("engine: fastloop 0.0.0 on buildkit"),
    });
    expect(Number(readFileSync(marker, "utf8"))).toBeGreaterThan(0);
    rmSync(marker);
    expect(await project.run("session", "--", "there-is-no-such-program")).toMatchObject({
      exitCode: 127,
      stderr: expect.stringContaining("there-is-no-such-program: command not found"),
    });
    expect((await project.run("session", "--", "sh", "-c", "kill -TERM $$")).exitCode).toBe(143);
  });

  test("watches shows the files of each function, and all of them when asked", async () => {
    const { stdout } = await project.run("-v", "watches");
    expect(stdout).toMatch(/^worker\n {2}inputs: \.  \d+ paths?\n {4}only worker\/\n/m);
    expect(stdout).toContain("    worker/a.txt\n");
    expect(stdout).toMatch(/\d+ folders? watched\n$/);
    const { functions } = (await json("watches")) as { functions: { name: string; inputs: { path: string }[] }[] };
    expect(functions.map(({ name }) => name)).toEqual(["lib", "api", "worker"]);
    expect(functions[0]?.inputs.map(({ path: at }) => at)).toEqual(["."]);
  });

  test("offline check runs everything without the network, and says what is here with its size", async () => {
    const { ready, parts } = (await json("offline", "check")) as {
      ready: boolean;
      parts: { kind: string; name: string; bytes?: number; note?: string }[];
    };
    expect(ready).toBe(true);
    expect(parts.find(({ kind }) => kind === "images")?.bytes).toBeGreaterThan(0);
    expect(
      parts
        .filter(({ kind }) => kind === "function")
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(["api", "lib", "worker"]);
    project.write("worker/a.txt", "broken\n");
    const told = await project.run("offline", "check");
    // It fails, and lacks nothing: that is another matter.
    expect(told).toMatchObject({ exitCode: 0 });
    expect(told.stdout).toMatch(/^ready +function +worker +failed, and lacks nothing;/m);
    expect(told.stdout).toContain("all that the loop needs is here");
    project.write("worker/a.txt", "worker one\n");
  });

  test("trust shows what is asked, allows it, lists it, and takes it back", async () => {
    const before = readFileSync(project.at("fastloop.yaml"), "utf8");
    expect((await project.run("trust")).stdout).toBe("nothing is asked of this machine beyond the repository\n");
    project.write(
      "fastloop.yaml",
      before.replace("engine:", "    tell: { call: tell --token env:FASTLOOP_TOKEN }\nengine:"),
    );
    try {
      const shown = await project.run("trust", "--show");
      expect(shown.exitCode).toBe(2);
      expect(shown.stdout).toMatch(/^\+ .*FASTLOOP_TOKEN/m);
      expect(shown.stderr).toContain("is not trusted with 1 thing of it");
      expect(await project.run("trust")).toMatchObject({
        exitCode: 0,
        stderr: expect.stringContaining("is trusted with 1 thing"),
      });
      expect(await json("trust", "--show")).toMatchObject({ trusted: true, added: [], removed: [] });
      expect((await project.run("trust", "--list")).stdout).toContain("FASTLOOP_TOKEN");
      expect(await json("trust", "--list")).toMatchObject({ projects: [{ asks: [expect.anything()] }] });
      // What nobody asks for any more is shown as such.
      project.write("fastloop.yaml", before);
      expect((await project.run("trust", "--show")).stdout).toMatch(/^- .*FASTLOOP_TOKEN/m);
      expect(await json("trust", "--remove")).toMatchObject({ removed: true });
      expect((await project.run("trust", "--remove")).stderr).toContain("was not trusted with anything");
      expect((await project.run("trust", "--list")).stderr).toContain("no project is trusted with anything");
    } finally {
      project.write("fastloop.yaml", before);
    }
  });
});
