import { existsSync, readFileSync, readdirSync, renameSync, rmSync, utimesSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSession } from "../../src/engine/index.ts";
import { LoopProject } from "./loop-project.ts";

let project: LoopProject;
beforeEach(() => void (project = new LoopProject()));
afterEach(() => project.remove());

describe("fastloop watch", () => {
  test("runs what never ran, then after each edit what it affects, on the new files", async () => {
    const watch = project.watch();
    expect(await watch.next("settled")).toMatchObject({ current: ["lib", "api", "worker"], failed: [] });

    let from = watch.events.length;
    project.write("lib/a.txt", "lib two\n");
    expect(await watch.next("finished", "lib")).toMatchObject({ outcome: "passed", fresh: true });
    // The dependent sees the new version.
    expect((await watch.next("finished", "api"))["value"]).toContain("ok api from lib two");
    await watch.next("settled");
    expect(watch.startedSince(from)).toEqual(["lib", "api"]);

    from = watch.events.length;
    project.write("worker/a.txt", "worker two\n");
    await watch.next("settled");
    expect(watch.startedSince(from)).toEqual(["worker"]);
  });

  test("a save with equal content, a touch and a change there and back run nothing", async () => {
    const watch = project.watch();
    await watch.next("settled");
    const from = watch.events.length;
    project.write("lib/a.txt", "lib one\n");
    await watch.next("planned");
    utimesSync(project.at("worker/a.txt"), 1, 1);
    await watch.next("planned");
    project.write("api/new.txt", "x");
    await watch.next("finished", "api");
    await watch.next("settled");
    expect(watch.startedSince(from)).toEqual(["api"]);
    renameSync(project.at("api/new.txt"), project.at("unrelated.txt"));
    expect(await watch.next("settled")).toMatchObject({ current: ["lib", "api", "worker"] });
    expect(watch.startedSince(from)).toEqual(["api"]);
  });

  test("a saved file that no target reads, of a kind that they read, is told once and runs nothing", async () => {
    const watch = project.watch();
    await watch.next("settled");
    const from = watch.events.length;
    project.write("README.md", "no target reads such a file\n");
    project.write("stray.txt", "one\n");
    expect((await watch.next("notice"))["text"]).toBe(
      '"stray.txt" was saved, and no target reads it; name it in the inputs of the target that uses it',
    );
    project.write("stray.txt", "two\n");
    project.write("worker/a.txt", "worker two\n");
    await watch.next("settled");
    expect(watch.startedSince(from)).toEqual(["worker"]);
    expect(watch.events.slice(from).filter(({ event }) => event === "notice")).toHaveLength(1);
  });

  test("a newer edit cancels exactly what it made stale", async () => {
    const watch = project.watch();
    await watch.next("settled");
    const from = watch.events.length;
    project.write("lib/a.txt", "slow\n");
    project.write("worker/a.txt", "slow\n");
    for (const name of ["lib", "worker"]) expect((await watch.next("started"))["name"]).toBe(name);
    await watch.next("output");
    project.write("lib/a.txt", "lib three\n");
    expect(await watch.next("cancelling")).toMatchObject({ name: "lib", why: "stale" });
    expect(await watch.next("finished", "lib")).toMatchObject({ outcome: "cancelled" });
    expect(await watch.next("finished", "lib")).toMatchObject({ outcome: "passed" });
    const ended = watch.events.slice(from).filter((event) => event.event === "finished" && event.name === "worker");
    expect(ended).toEqual([]);
  });

  test("a failure blocks its dependents, ends nothing, and is gone with its repair", async () => {
    const watch = project.watch();
    await watch.next("settled");
    project.write("lib/a.txt", "broken\n");
    const failed = await watch.next("finished", "lib");
    expect(failed).toMatchObject({ outcome: "failed", error: { exitCode: 3 } });
    expect(readFileSync(String(failed["logFile"]), "utf8")).toContain("broken");
    expect(await watch.next("blocked")).toMatchObject({ name: "api", need: "lib" });
    expect(await watch.next("settled")).toMatchObject({ current: ["worker"], failed: ["lib"], blocked: ["api"] });
    const from = watch.events.length;
    project.write("lib/a.txt", "lib one\n");
    expect(await watch.next("settled")).toMatchObject({ current: ["lib", "api", "worker"] });
    // The state from before the mistake had passed: nothing has to run again.
    expect(watch.startedSince(from)).toEqual([]);
  });

  test("a broken configuration or module is shown with its place, and recovers when it is mended", async () => {
    const watch = project.watch();
    await watch.next("settled");
    const configuration = readFileSync(project.at("fastloop.yaml"), "utf8");
    project.write("fastloop.yaml", configuration.replace("needs:", "neds:"));
    expect(await watch.next("broken")).toMatchObject({
      error: { code: "config", place: expect.stringContaining("fastloop.yaml:") },
    });
    project.write("fastloop.yaml", configuration);
    await watch.next("recovered");
    await watch.next("settled");
    const module = readFileSync(project.at("ci/src/index.ts"), "utf8");
    project.write("ci/src/index.ts", `${module}\nexport class {`);
    expect(await watch.next("broken")).toMatchObject({
      error: { code: "module", place: expect.stringContaining("index.ts:") },
    });
    project.write("ci/src/index.ts", module);
    await watch.next("recovered");
    expect(await watch.next("settled")).toMatchObject({ current: ["lib", "api", "worker"] });
  });

  test("a change of the module runs everything with the new code", async () => {
    const watch = project.watch();
    await watch.next("settled");
    const from = watch.events.length;
    project.write("ci/src/index.ts", readFileSync(project.at("ci/src/index.ts"), "utf8").replace("ok ", "fine "));
    expect((await watch.next("finished", "lib"))["value"]).toContain("fine lib");
    await watch.next("settled");
    expect(watch.startedSince(from).sort()).toEqual(["api", "lib", "worker"]);
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s during a run leaves nothing behind", async (signal) => {
    project.write("lib/a.txt", "slow\n");
    const watch = project.watch("lib");
    while (!JSON.stringify(await watch.next("output")).includes("sleeping")) continue;
    const startedMs = performance.now();
    expect(await watch.kill(signal)).toBe(130);
    expect(performance.now() - startedMs).toBeLessThan(2500);
    expect(childrenOf(watch.child.pid!)).toEqual([]);
    expect(existsSync(project.at(".fastloop/lock"))).toBe(false);
    expect(readdirSync(project.at(".fastloop")).filter((name) => name.startsWith("probe"))).toEqual([]);
  });

  test("what SIGKILL leaves is swept by the next start", async () => {
    const first = project.watch();
    await first.next("settled");
    await first.kill("SIGKILL");
    const second = project.watch();
    const from = second.events.length;
    expect(await second.next("settled")).toMatchObject({ current: ["lib", "api", "worker"] });
    expect(second.startedSince(from)).toEqual([]);
  });

  test("another session that sends the same folder takes nothing away from it", async () => {
    const watch = project.watch();
    await watch.next("settled");
    const from = watch.events.length;
    project.write("worker/a.txt", "worker two\n");
    expect(await watch.next("finished", "worker")).toMatchObject({ outcome: "passed" });
    // BuildKit brings its one copy of the folder up to date: what the watch laid its edits on is gone.
    const other = await openSession({ workdir: project.root, engine: process.env["FASTLOOP_ENGINE"] ?? "auto" });
    const document = `query Send($path: String!, $exclude: [String!]) {
      host { directory(path: $path, exclude: $exclude, noCache: true) { sync } }
    }`;
    await other.query(document, { path: project.root, exclude: ["**/.fastloop"] });
    await other.close();
    project.write("worker/a.txt", "worker three\n");
    const finished = await watch.next("finished", "worker");
    expect(finished).toMatchObject({ outcome: "passed", fresh: true, attempts: 1 });
    expect(finished["value"]).toContain("worker three");
    await watch.next("settled");
    expect(watch.startedSince(from)).toEqual(["worker", "worker"]);
  });

  test("a second process on the project says who works there", async () => {
    const watch = project.watch();
    await watch.next("settled");
    const other = await project.run("run");
    expect(other.exitCode).toBe(2);
    expect(other.stderr).toMatch(/fastloop watch \(process \d+/);
  });
});

/** Processes whose parent that process was; its function runtime would be one. */
function childrenOf(pid: number): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return (
          readFileSync(`/proc/${name}/cmdline`, "utf8").includes("function-runtime") &&
          readFileSync(`/proc/${name}/stat`, "utf8").includes(` ${pid} `)
        );
      } catch {
        return false;
      }
    });
}

test("a project that is deleted under its watch stays deleted", async () => {
  const watch = project.watch("--manual");
  await watch.next("settled");
  rmSync(project.root, { recursive: true });
  expect(await watch.next("broken")).toMatchObject({ error: { code: expect.any(String) as string } });
  expect(await watch.kill("SIGINT")).toBe(130);
  expect(existsSync(project.root)).toBe(false);
}, 60_000);
