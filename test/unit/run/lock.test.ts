import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ProjectLock } from "../../../src/run/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { makeTree } from "../tree/fixture.ts";

test("a second process is told who works on the project", () => {
  const state = new ProjectState(makeTree({ ".fastloop": null }));
  const lock = ProjectLock.take(state, "fastloop watch");
  expect(() => ProjectLock.take(state, "fastloop run")).toThrow(new RegExp(`fastloop watch \\(process ${process.pid}`));
  lock.release();
  ProjectLock.take(state, "fastloop run").release();
  expect(existsSync(path.join(state.path, "lock"))).toBe(false);
});

test("the lock of a process that was killed is taken over", async () => {
  const state = new ProjectState(makeTree({ ".fastloop": null }));
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); console.log('up')"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(child.stdout, "data");
  const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8");
  const startTicks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  const holder = { pid: child.pid, startTicks, command: "fastloop watch", since: "" };
  writeFileSync(path.join(state.path, "lock"), JSON.stringify(holder));
  expect(() => ProjectLock.take(state, "fastloop run")).toThrow(/works on this project/);
  child.kill("SIGKILL");
  await once(child, "exit");
  ProjectLock.take(state, "fastloop run").release();
});

test("a process that only has the same number does not hold it", () => {
  const state = new ProjectState(makeTree({ ".fastloop": null }));
  writeFileSync(
    path.join(state.path, "lock"),
    JSON.stringify({ pid: process.pid, startTicks: "1", command: "fastloop watch", since: "" }),
  );
  ProjectLock.take(state, "fastloop run").release();
});

test("a damaged lock holds nobody up", () => {
  const state = new ProjectState(makeTree({ ".fastloop/lock": "{" }));
  ProjectLock.take(state, "fastloop run").release();
});

test("a folder that was made for the lock alone goes with it", () => {
  const state = new ProjectState(makeTree());
  ProjectLock.take(state, "fastloop run").release();
  expect(existsSync(state.path)).toBe(false);
  const lock = ProjectLock.take(state, "fastloop run");
  writeFileSync(path.join(state.path, "hashes"), "");
  lock.release();
  expect(existsSync(path.join(state.path, "hashes"))).toBe(true);
});
