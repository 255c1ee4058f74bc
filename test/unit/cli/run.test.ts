import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { History, Loop } from "../../../src/run/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { LoopProject, type WatchEvent } from "../../e2e/loop-project.ts";
import { canRunEngine, startOwnEngine, type OwnEngine } from "../own-engine.ts";
import { fastloop } from "./fastloop.ts";

let engine: OwnEngine | undefined;
beforeAll(async () => {
  if (canRunEngine) engine = await startOwnEngine();
});
afterAll(() => engine?.stop());

let project: LoopProject;
beforeEach(() => void (project = new LoopProject(fastloop)));
afterEach(() => project.remove());

function events(stdout: string): WatchEvent[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as WatchEvent);
}

describe.runIf(canRunEngine)("fastloop run", () => {
  test("runs everything in order, then nothing, then what an edit affects", async () => {
    const first = await project.run("run", "--json");
    expect(first.exitCode, first.stderr).toBe(0);
    expect(events(first.stdout).at(-1)).toMatchObject({
      event: "summary",
      passed: expect.arrayContaining(["lib", "api", "worker"]),
    });
    const order = events(first.stdout)
      .filter((event) => event.event === "finished")
      .map((event) => event.name);
    expect(order.indexOf("lib")).toBeLessThan(order.indexOf("api"));

    const second = await project.run("run");
    expect(second).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("3 current (nothing to run)") });

    project.write("api/a.txt", "api two\n");
    const third = events((await project.run("run", "--json")).stdout);
    expect(third.at(-1)).toMatchObject({ passed: ["api"], current: ["lib", "worker"] });
  });

  test("a run that finds everything current is answered from the last one, until anything changes", async () => {
    vi.stubEnv("FASTLOOP_PAST_SCAN", "always");
    const looked = vi.spyOn(Loop.prototype, "runAll");
    try {
      await project.run("run");
      await setTimeout(100);
      const asked = async (...words: string[]): Promise<{ isLooked: boolean; line: string }> => {
        looked.mockClear();
        const { stdout, stderr, exitCode } = await project.run("run", ...words);
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
        return { isLooked: looked.mock.calls.length > 0, line: stdout.replace(/ in .*/, "") };
      };
      const all = "3 current (nothing to run)\n";
      let asks = 0;
      // On a busy machine, the check of one or the other run may come too late.
      const untilRepeated = async (): Promise<void> => {
        for (let tries = 0; tries < 20; tries++, await setTimeout(100)) {
          const { isLooked, line } = await asked();
          asks++;
          expect(line).toBe(all);
          if (!isLooked) return;
        }
        throw new Error("each run looked at the project");
      };
      expect((await asked()).isLooked).toBe(true);
      asks++;
      await untilRepeated();
      const counted = new History(new ProjectState(project.root))
        .entries()
        .filter(({ outcome }) => outcome === "current");
      expect(counted.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(3 * asks);
      // Other words are another question, and whoever reads events gets all of them.
      expect(await asked("lib")).toEqual({ isLooked: true, line: "1 current (nothing to run)\n" });
      expect((await asked("--json")).isLooked).toBe(true);
      expect((await asked("--force")).isLooked).toBe(true);
      await setTimeout(100);
      await untilRepeated();
      project.write("api/a.txt", "api two\n");
      expect(await asked()).toMatchObject({ isLooked: true, line: expect.stringContaining("1 passed, 2 current") });
      // A notice is printed each time.
      const written = readFileSync(path.join(project.root, "fastloop.yaml"), "utf8");
      project.write("fastloop.yaml", written.replace("inputs: [lib/] }", "inputs: [lib/, gone/] }"));
      await setTimeout(100);
      for (let time = 1; time <= 4; time++) {
        looked.mockClear();
        expect((await project.run("run")).stdout).toContain("gone");
        expect(looked).toHaveBeenCalledTimes(1);
        await setTimeout(100);
      }
    } finally {
      looked.mockRestore();
      vi.unstubAllEnvs();
    }
  });

  test("named functions run with what they need, and with --force even when current", async () => {
    await project.run("run", "lib");
    const named = events((await project.run("run", "api", "--force", "--json")).stdout);
    expect(named.at(-1)).toMatchObject({ passed: ["lib", "api"] });
    expect(await project.run("run", "nothing")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("there are lib, api, worker"),
    });
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

  test("a watched call may be a whole chain, whose files are inputs, with every kind of value", async () => {
    const call =
      "box --count 7 --token cmd://'echo -n secret-text' with-directory --path /parts --source lib with-exec --args cat,/parts/a.txt,/count stdout";
    project.write("fastloop.yaml", `version: 1\nwatch:\n  targets:\n    chain: { call: ${JSON.stringify(call)} }\n`);
    const first = await project.run("run", "--trust");
    expect(first, first.stderr).toMatchObject({ exitCode: 0 });
    const log = readdirSync(project.at(".fastloop/runs")).find((name) => name.endsWith(".log"));
    expect(readFileSync(project.at(`.fastloop/runs/${log}`), "utf8")).toContain("lib one\n7 of 11");
    expect(await project.run("run", "--trust")).toMatchObject({ stdout: expect.stringContaining("1 current") });
    project.write("api/a.txt", "not of it\n");
    expect(await project.run("run", "--trust")).toMatchObject({ stdout: expect.stringContaining("1 current") });
    project.write("lib/a.txt", "lib two\n");
    expect(await project.run("run", "--trust")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/passed {4}chain/),
    });
  });

  test("a value that its argument cannot have is no run: it ends with 2 and starts nothing", async () => {
    project.write(
      "fastloop.yaml",
      "version: 1\nwatch:\n  targets:\n    wrong: { call: box --count many --token env:HOME }\n",
    );
    const result = await project.run("run");
    expect(result).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('watch.targets.wrong: --count: a whole number was expected, not "many"'),
    });
    expect(existsSync(project.at(".fastloop/runs")) ? readdirSync(project.at(".fastloop/runs")) : []).toEqual([]);
  });

  test("a secret that a function returns is in no output and in no record", async () => {
    project.write("token", "sesame-of-the-test\n");
    project.write(
      "fastloop.yaml",
      "version: 1\nwatch:\n  targets:\n    told: { call: tell --token file://token }\n    failed: { call: fail --token file://token }\n",
    );
    const { exitCode, stdout, stderr } = await project.run("run", "--json");
    const finished = (name: string): WatchEvent | undefined =>
      events(stdout).find((event) => event.event === "finished" && event.name === name);
    expect({ exitCode, said: finished("told")?.value }).toEqual({ exitCode: 1, said: '["it is ***"]' });
    expect(JSON.stringify(finished("failed"))).toContain("no use of ***");
    const kept = readdirSync(project.at(".fastloop/runs")).map((name) =>
      readFileSync(project.at(`.fastloop/runs/${name}`), "utf8"),
    );
    expect([stdout, stderr, ...kept].join("\n")).not.toContain("sesame");
  });

  test("a folder that is not there fails the function that was to read it, and runs once it is", async () => {
    project.write(
      "fastloop.yaml",
      "version: 1\nwatch:\n  targets:\n    late: { call: test --source later --part lib }\n",
    );
    const early = await project.run("run");
    expect(early).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining(`--source: there is no directory ${project.at("later")}`),
    });
    expect(early.stdout).not.toContain("changed meanwhile");
    project.write("later/lib/a.txt", "at last\n");
    expect(await project.run("run")).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/passed {4}late/) });
  });

  test("functions in the engine's own containers need an engine that serves modules", async () => {
    const result = await project.run("run", "--via", "module");
    expect(result).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/--via module needs a Dagger engine[^]*hint: leave it out/),
    });
    expect(await project.run("run", "--via", "cal")).toMatchObject({ exitCode: 2 });
  });

  test("a timeout ends with 4 and names what it waited for", async () => {
    project.write("lib/a.txt", "slow\n");
    const result = await project.run("run", "lib", "--timeout", "3s");
    expect(result.exitCode).toBe(4);
    expect(result.stdout).toMatch(/lib took longer than 3 s while it ran: exec sh/);
  });

  test("a deadline ends the whole run with 4 and names what everything waited for", async () => {
    project.write("lib/a.txt", "slow\n");
    const result = await project.run("run", "lib", "api", "--deadline", "10s");
    expect(result.exitCode, result.stderr).toBe(4);
    expect(result.stderr).toMatch(/the run took longer than 10 s\nlib ran: exec sh.*[^]*api waited for lib/);
  });

  test("the first failure cancels what runs where that is asked for, and says so of each", async () => {
    project.write("worker/a.txt", "slow\n");
    project.write("lib/a.txt", "broken\n");
    const result = events((await project.run("run", "--jobs", "2", "--fail-fast", "--json")).stdout);
    expect(result.at(-1)).toMatchObject({ event: "summary", failed: ["lib"], cancelled: ["worker"], blocked: ["api"] });
    expect(await project.run("run", "--fail-fast", "--continue")).toMatchObject({ exitCode: 2 });
  });

  test("plan tells of what is named, and of what that needs", async () => {
    const names = async (...words: string[]): Promise<string[]> =>
      (
        JSON.parse((await project.run("plan", "--json", ...words)).stdout) as { functions: { name: string }[] }
      ).functions.map(({ name }) => name);
    expect(await names("api")).toEqual(["lib", "api"]);
    expect(await names()).toEqual(["lib", "api", "worker"]);
    expect(await project.run("plan", "nothing")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("there are lib, api, worker"),
    });
    expect(await project.run("plan", "--tier", "smoke")).toMatchObject({
      exitCode: 0,
      stdout: "",
      stderr: expect.stringContaining("no function is in the tier smoke"),
    });
  });

  test("a tier has the quicker ones in it, a function without a tier is a thorough one", async () => {
    const text = readFileSync(project.at("fastloop.yaml"), "utf8");
    project.write(
      "fastloop.yaml",
      text
        .replace("inputs: [lib/] }", "inputs: [lib/], tier: smoke }")
        .replace("needs: [lib] }", "needs: [lib], tier: fast }"),
    );
    const summary = async (...words: string[]): Promise<unknown> =>
      events((await project.run("run", "--json", ...words)).stdout).at(-1);
    expect(await summary("--tier", "smoke")).toMatchObject({ passed: ["lib"] });
    expect(await summary("--tier", "fast")).toMatchObject({ passed: ["api"], current: ["lib"] });
    expect(await summary("--tier", "full")).toMatchObject({ passed: ["worker"], current: ["lib", "api"] });
  });

  test("a function that declares retries is tried again, and its record says how often", async () => {
    const text = readFileSync(project.at("fastloop.yaml"), "utf8");
    project.write("fastloop.yaml", text.replace("inputs: [lib/] }", "inputs: [lib/], retries: 2 }"));
    const source = readFileSync(project.at("ci/src/index.ts"), "utf8");
    const volume = `flaky-${path.basename(project.root)}`;
    project.write(
      "ci/src/index.ts",
      source
        .replace('.withExec(["sh"', `.withMountedCache("/tried", dag.cacheVolume("${volume}")).withExec(["sh"`)
        .replace(
          "cat ${part}/*",
          "if [ ! -e /tried/once ]; then touch /tried/once; echo first time; exit 9; fi; cat ${part}/*",
        ),
    );
    const lines = events((await project.run("run", "lib", "--json")).stdout);
    expect(lines.find((line) => line.event === "retrying")).toMatchObject({
      name: "lib",
      attempt: 2,
      of: 3,
      error: expect.stringContaining("exit code 9"),
    });
    expect(lines.find((line) => line.event === "finished")).toMatchObject({ outcome: "passed", attempts: 2 });
  });

  test("what no limit has room for waits, with a notice, and all is run", async () => {
    const text = readFileSync(project.at("fastloop.yaml"), "utf8").replaceAll(
      /inputs: \[(lib|worker)\/\] }/g,
      "inputs: [$1/], uses: { memory: 3GB } }",
    );
    project.write("fastloop.yaml", text.replace("jobs: 2", "jobs: 4\n  limits: { memory: 4GB }"));
    const lines = events((await project.run("run", "--json")).stdout);
    expect(lines).toContainEqual(
      expect.objectContaining({
        event: "notice",
        text: expect.stringMatching(/^worker waits: the limit of memory is used up/),
      }),
    );
    const order = lines
      .filter((line) => ["started", "finished"].includes(line.event))
      .map((line) => `${line.event} ${line.name}`);
    expect(order.indexOf("started worker")).toBeGreaterThan(order.indexOf("finished lib"));
    expect(lines.at(-1)).toMatchObject({ passed: expect.arrayContaining(["lib", "api", "worker"]) });
  });

  test("since a commit that is not here everything runs, and the reason is told", async () => {
    const result = await project.run("run", "lib", "--since", "origin/main");
    expect(result).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/cannot compare with origin\/main: .*; everything counts as affected/),
    });
    execFileSync("git", ["init", "-q"], { cwd: project.root });
    execFileSync("git", ["add", "-A"], { cwd: project.root });
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "one"], { cwd: project.root });
    const nothing = await project.run("run", "--since", "HEAD", "--junit", "junit.xml");
    expect(nothing).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("nothing is affected since HEAD") });
    expect(readFileSync(project.at("junit.xml"), "utf8")).toContain('tests="0"');
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
    // Nothing answers there: whoever tried would fail.
    const withoutEngine = { cwd: project.root, env: { BUILDKIT_HOST: "unix:///nowhere/buildkit.sock" } };
    const { stdout } = await fastloop(["plan", "--json"], withoutEngine);
    const plan = JSON.parse(stdout) as { functions: { name: string; verdict: string; reasons: unknown[] }[] };
    expect(plan.functions.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
      "lib affected",
      "api affected",
      "worker current",
    ]);
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
    ["a missing module", () => unlinkSync(project.at("dagger.json")), /nor a dagger.json/],
    ["a broken module", () => writeFileSync(project.at("ci/src/index.ts"), "export class {"), /index\.ts:\d+:\d+/],
    [
      "a broken configuration",
      () => writeFileSync(project.at("fastloop.yaml"), "version: 1\nwatch: 3\n"),
      /fastloop\.yaml:2:8/,
    ],
    [
      "a target that names nothing",
      () => project.write("fastloop.yaml", "version: 1\nwatch: { targets: { a: { call: tset } } }\n"),
      /no function "tset"[^]*did you mean test\?/,
    ],
    [
      "a source folder that does not exist",
      () =>
        project.write(
          "fastloop.yaml",
          "version: 1\nwatch: { targets: { a: { call: test --source nowhere --part a } } }\n",
        ),
      /nowhere/,
    ],
  ])("%s is one clear error", async (_name, damage, message) => {
    mkdirSync(project.at("ci/src"), { recursive: true });
    damage();
    const result = await project.run("run");
    expect([1, 2]).toContain(result.exitCode);
    expect(result.stdout + result.stderr).toMatch(message);
    expect(result.stderr).not.toContain("bug");
  });
});
