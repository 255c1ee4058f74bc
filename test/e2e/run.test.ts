import { mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fastloop } from "./cli-process.ts";
import { LoopProject, type WatchEvent } from "./loop-project.ts";

let project: LoopProject;
beforeEach(() => void (project = new LoopProject()));
afterEach(() => project.remove());

function events(stdout: string): WatchEvent[] {
  return stdout.trim().split("\n").map((line) => JSON.parse(line) as WatchEvent);
}

describe("fastloop run", () => {
  test("runs everything in order, then nothing, then what an edit affects", async () => {
    const first = await project.run("run", "--json");
    expect(first.exitCode, first.stderr).toBe(0);
    expect(events(first.stdout).at(-1)).toMatchObject({ event: "summary", passed: expect.arrayContaining(["lib", "api", "worker"]) });
    const order = events(first.stdout).filter((event) => event.event === "finished").map((event) => event.name);
    expect(order.indexOf("lib")).toBeLessThan(order.indexOf("api"));

    const second = await project.run("run");
    expect(second).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("3 current (nothing to run)") });

    project.write("api/a.txt", "api two\n");
    const third = events((await project.run("run", "--json")).stdout);
    expect(third.at(-1)).toMatchObject({ passed: ["api"], current: ["lib", "worker"] });
  });

  test("named functions run with what they need, and with --force even when current", async () => {
    await project.run("run", "lib");
    const named = events((await project.run("run", "api", "--force", "--json")).stdout);
    expect(named.at(-1)).toMatchObject({ passed: ["lib", "api"] });
    expect(await project.run("run", "nothing")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("there are lib, api, worker") });
  });

  test("a failure ends with 1, says where its log is, and leaves independent functions alone", async () => {
    project.write("lib/a.txt", "broken\n");
    const result = await project.run("run");
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/failed {4}lib/);
    expect(result.stdout).toMatch(/blocked {3}api {2}lib has not passed/);
    expect(result.stdout).toMatch(/passed {4}worker/);
    const log = /log: (\S+)/.exec(result.stdout)![1]!;
    expect(readFileSync(path.join(project.root, log), "utf8")).toContain("broken");
    // It is tried again: what failed is not current.
    expect((await project.run("run", "lib")).exitCode).toBe(1);
  });

  test("a timeout ends with 4 and names what it waited for", async () => {
    project.write("lib/a.txt", "slow\n");
    const result = await project.run("run", "lib", "--timeout", "3s");
    expect(result.exitCode).toBe(4);
    expect(result.stdout).toMatch(/lib took longer than 3 s while it ran: exec sh/);
  });

  test("losing or damaging the state costs a run, never correctness", async () => {
    await project.run("run");
    for (const damage of [
      () => rmSync(project.at(".fastloop"), { recursive: true }),
      () => writeFileSync(project.at(".fastloop/hashes"), "damaged"),
      () => rmSync(project.at(".fastloop/manifests"), { recursive: true }),
    ]) {
      damage();
      project.write("lib/a.txt", `${damage.toString().length}`);
      const result = events((await project.run("run", "--json")).stdout);
      expect(result.at(-1)).toMatchObject({ event: "summary", passed: expect.arrayContaining(["lib", "api"]) });
    }
    expect(await project.run("run")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("nothing to run") });
  });

  test("plan and why name the cause, and need no engine", async () => {
    await project.run("run");
    project.write("lib/b.txt", "new");
    unlinkSync(project.at("lib/a.txt"));
    // An engine of this name cannot be opened: whoever tried would fail.
    const withoutEngine = { cwd: project.root, env: { FASTLOOP_ENGINE: "none" } };
    const { stdout } = await fastloop(["plan", "--json"], withoutEngine);
    const plan = JSON.parse(stdout) as { functions: { name: string; verdict: string; reasons: unknown[] }[] };
    expect(plan.functions.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual(["lib affected", "api affected", "worker current"]);
    expect(plan.functions[0]!.reasons).toEqual([
      { kind: "file", change: "removed", path: "lib/a.txt" },
      { kind: "file", change: "added", path: "lib/b.txt" },
    ]);
    const why = await fastloop(["why", "api"], withoutEngine);
    expect(why.stdout).toMatch(/- lib changed[^]*- lib\/a.txt removed[^]*- lib\/b.txt added/);
    expect((await fastloop(["run"], withoutEngine)).exitCode).not.toBe(0);
  });

  test("GitHub's format points at the failure, JUnit holds every function", async () => {
    project.write("worker/a.txt", "broken\n");
    const result = await project.run("run", "--format", "github", "--junit", "junit.xml");
    expect(result.stdout).toMatch(/^::error.*title=worker failed in .*::.*exit code 3/m);
    const xml = readFileSync(project.at("junit.xml"), "utf8");
    expect(xml).toMatch(/tests="3" failures="1"/);
    expect(xml).toMatch(/name="lib" time="[\d.]+"\/>/);
  });

  test.each([
    ["a missing module", () => unlinkSync(project.at("dagger.json")), /no dagger.json/],
    ["a broken module", () => writeFileSync(project.at("ci/src/index.ts"), "export class {"), /index\.ts:\d+:\d+/],
    ["a broken configuration", () => writeFileSync(project.at("fastloop.yaml"), "version: 1\nwatch: 3\n"), /fastloop\.yaml:2:8/],
    ["a target that names nothing", () => project.write("fastloop.yaml", "version: 1\nwatch: { targets: { a: { call: tset } } }\n"), /no function "tset"[^]*it has test/],
    ["a source folder that does not exist", () => project.write("fastloop.yaml", "version: 1\nwatch: { targets: { a: { call: test --source nowhere --part a } } }\n"), /nowhere/],
  ])("%s is one clear error", async (_name, damage, message) => {
    mkdirSync(project.at("ci/src"), { recursive: true });
    damage();
    const result = await project.run("run");
    expect([1, 2]).toContain(result.exitCode);
    expect(result.stdout + result.stderr).toMatch(message);
    expect(result.stderr).not.toContain("bug");
  });
});
