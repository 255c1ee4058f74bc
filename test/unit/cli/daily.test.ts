/** The verbs around the loop, on a project whose functions run in real containers. */
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LoopProject } from "../../e2e/loop-project.ts";
import { canRunEngine, startOwnEngine, type OwnEngine } from "../own-engine.ts";
import { fastloop, startFastloop, type RunningFastloop } from "./fastloop.ts";

let project: LoopProject;
let engine: OwnEngine;

describe.runIf(canRunEngine)("the verbs of every day", () => {
  beforeAll(async () => {
    engine = await startOwnEngine();
    project = new LoopProject(fastloop);
    expect((await project.run("run", "--save-baseline", "first")).exitCode).toBe(0);
  });
  afterAll(async () => {
    await project.remove();
    await engine.stop();
  });

  const json = async (...words: string[]): Promise<Record<string, never>> => {
    const { stdout, stderr } = await project.run(...words, "--json");
    try {
      return JSON.parse(stdout) as Record<string, never>;
    } catch {
      throw new Error(`${words.join(" ")}: ${stdout}${stderr}`);
    }
  };

  test("bare fastloop says what is current, and after an edit what is stale and what to do", async () => {
    expect(await json()).toMatchObject({
      functions: ["lib", "api", "worker"].map((name) => ({ name, state: "current" })),
    });
    project.write("worker/a.txt", "worker two\n");
    const edited = await project.run();
    expect(edited).toMatchObject({ exitCode: 0 });
    expect(edited.stdout).toMatch(/^stale {4}worker {2}worker\/a\.txt changed/m);
    expect(edited.stdout).toMatch(/^ {2}fastloop run +1 function to run, about /m);
  });

  test("a run of an edit differs from the one before by that file, and from a baseline as well", async () => {
    project.write("worker/a.txt", "worker three\n");
    expect((await project.run("run")).exitCode).toBe(0);
    const diff = await project.run("diff", "worker~1", "worker");
    expect(diff.exitCode).toBe(1);
    expect(diff.stdout).toContain("changed worker/a.txt");
    const since = await json("diff", "first");
    expect(since).toMatchObject({ before: "first", now: "last", isDifferent: true });
    const spans = JSON.stringify(since);
    // What the engine did is in it, not only that a function ran.
    expect(spans).toContain("exec ");
    expect((await project.run("diff", "lib", "lib")).exitCode).toBe(0);
  });

  test("statistics count runs and what needed none", async () => {
    await project.run("run");
    const stats = await json("stats");
    const { functions } = stats as unknown as { functions: { name: string; runs: number; current: number }[] };
    const worker = functions.find(({ name }) => name === "worker");
    expect(worker?.runs).toBeGreaterThanOrEqual(2);
    expect(worker?.current).toBeGreaterThanOrEqual(1);
    expect((await project.run("stats", "--format", "csv")).stdout).toMatch(/^worker,full,\d+,/m);
    expect((await project.run("stats", "--format", "html", "-o", "out/stats.html")).exitCode).toBe(0);
    expect(existsSync(project.at("out/stats.html"))).toBe(true);
  });

  test("clearing softly makes everything run again on what the engine has cached; a dry run deletes nothing", async () => {
    const dry = await json("cache", "clear", "--level", "hard", "--dry-run");
    expect(dry).toMatchObject({ level: "hard", dryRun: true });
    expect(await json()).toMatchObject({
      functions: [{ state: "current" }, { state: "current" }, { state: "current" }],
    });
    expect(await json("cache", "clear")).toMatchObject({ level: "soft" });
    expect(await json()).toMatchObject({ functions: [{ state: "stale" }, { state: "stale" }, { state: "stale" }] });
    expect((await project.run("run")).stdout).toContain("3 passed");
    // The history outlives what was cleared.
    expect(await json("stats", "lib")).toMatchObject({ functions: [{ name: "lib" }] });
  });

  test("what caches hold adds up to the whole", async () => {
    const { rows, totalBytes } = (await json("cache", "status")) as unknown as {
      rows: { class: string; bytes?: number; parts?: { bytes: number }[] }[];
      totalBytes: number;
    };
    expect(rows.reduce((sum, { bytes = 0 }) => sum + bytes, 0)).toBe(totalBytes);
    const engine = rows.find((row) => row.class === "engine");
    expect(engine?.parts?.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(engine?.bytes);
  });

  test("nuke is nothing that happens by accident", async () => {
    expect(await project.run("cache", "clear", "--level", "nuke")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/confirm with --yes/),
    });
  });

  test("a cycle is commands that can be run alone, and clears nothing by itself", async () => {
    expect((await project.run("cycle", "--dry-run")).stdout).toBe("fastloop run\n");
    expect((await project.run("cycle", "clean", "--dry-run")).stdout).toBe(
      "fastloop cache clear --level medium\nfastloop run\n",
    );
    expect(await project.run("cycle", "sometimes")).toMatchObject({ exitCode: 2 });
  });

  test("the doctor looks without the network, and its report shows nothing of the project", async () => {
    const { checks } = (await json("doctor", "--offline")) as unknown as { checks: { id: string; status: string }[] };
    for (const id of ["engine", "node", "memory", "inotify-watches", "lock"])
      expect(checks.map((check) => check.id)).toContain(id);
    expect(checks.find(({ id }) => id === "engine-daemon")?.status).toBe("ok");
    const report = await project.run("doctor", "--offline", "--report");
    expect(report.stdout).not.toContain(project.root);
  });

  /** A command on a terminal, and what waits until it has shown a text. */
  function onTerminal(...words: string[]): RunningFastloop & { shows(text: RegExp): Promise<void> } {
    let shown = "";
    let wake = (): void => undefined;
    const onOutput = (_stream: string, text: string): void => {
      shown += text;
      wake();
    };
    const running = startFastloop(words, { cwd: project.root, isTTY: true, onOutput });
    let isOver = false;
    void running.ended.then(() => {
      isOver = true;
      wake();
    });
    const shows = async (text: RegExp): Promise<void> => {
      while (!text.test(shown)) {
        if (isOver) throw new Error(`it ended before it showed ${text}:\n${shown}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
      shown = "";
    };
    return { ...running, shows };
  }

  test("a run on a terminal shows what runs, and leaves what came of it", async () => {
    project.write("lib/a.txt", "lib on a terminal\n");
    const run = onTerminal("run");
    await run.shows(/lib/);
    const { exitCode, stdout } = await run.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toContain("\u001b[");
    expect(stdout).toMatch(/passed[^\n]*lib/);
  });

  test("a watch on a terminal shows each function as it stands, obeys keys, and ends with q", async () => {
    const watch = onTerminal("watch");
    await watch.shows(/current[^\n]*worker/);
    project.write("worker/a.txt", "broken\n");
    await watch.shows(/failed[^\n]*worker/);
    project.write("worker/a.txt", "worker five\n");
    await watch.shows(/current[^\n]*worker/);
    watch.press("q");
    expect((await watch.ended).exitCode).toBe(0);
  });
});
