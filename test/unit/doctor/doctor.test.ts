import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  bugReport,
  checkClock,
  checkCores,
  checkDisk,
  checkFileSystem,
  checkInotify,
  checkLock,
  checkMemory,
  checkNode,
  checkPlatforms,
  checkProxy,
  checkRegistry,
  checkState,
  registriesOf,
  renderChecks,
  withoutPrivate,
  type CheckResult,
} from "../../../src/doctor/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { makeTree } from "../tree/fixture.ts";

const GB = 1024 ** 3;
const plain = (_style: string, text: string): string => text;
const statuses = (results: readonly CheckResult[]): string[] => results.map(({ status }) => status);

describe("the machine", () => {
  test("is judged by what fastloop needs", () => {
    expect(statuses([checkNode("v20.19.0"), checkNode("v22.1.0"), checkNode("v20.18.3"), checkNode("v18.20.0")])).toEqual(["ok", "ok", "problem", "problem"]); // prettier-ignore
    expect(statuses([checkCores(2), checkCores(1)])).toEqual(["ok", "warning"]);
    expect(statuses([checkMemory(8 * GB, undefined), checkMemory(8 * GB, 2 * GB), checkMemory(3 * GB, 64 * GB)])).toEqual(["ok", "warning", "warning"]); // prettier-ignore
    expect(statuses([checkDisk("d", "/", 50 * GB, 100 * GB), checkDisk("d", "/", 6 * GB, 100 * GB), checkDisk("d", "/", GB / 2, 4 * GB)])).toEqual(["ok", "warning", "problem"]); // prettier-ignore
    expect(statuses([checkFileSystem("f", "/p", 0xef53), checkFileSystem("f", "/p", 0x6969), checkFileSystem("f", "/p", 1)])).toEqual(["ok", "warning", "ok"]); // prettier-ignore
  });

  test("has watches enough for the folders of the project, or not", () => {
    expect(statuses(checkInotify(524_288, 512, 1000))).toEqual(["ok", "ok"]);
    expect(statuses(checkInotify(8192, 16, 1000))).toEqual(["warning", "warning"]);
    expect(statuses(checkInotify(8192, 128, 10_000))).toEqual(["problem", "ok"]);
    expect(statuses(checkInotify(undefined, undefined, 3))).toEqual(["unknown"]);
  });

  test("whose clock is wrong is told so", () => {
    expect(checkClock(1_000_000, 1_010_000).status).toBe("ok");
    expect(checkClock(1_000_000, 9_000_000)).toMatchObject({
      status: "problem",
      impact: expect.stringContaining("certificates"),
    });
  });

  test("is asked for the platforms that images are made for", () => {
    const config = { version: 1 as const, images: { base: { from: "a", platforms: ["linux/amd64", "linux/mips"] } } };
    expect(checkPlatforms(config, "amd64").map(({ id, status }) => [id, status])).toEqual([
      ["platform linux/amd64", "ok"],
      ["platform linux/mips", "warning"],
    ]);
    expect(checkPlatforms({ version: 1 }, "amd64")).toEqual([]);
  });
});

describe("the network", () => {
  test("is asked for the registries of the project's images", () => {
    const images = { base: { from: "node:22" }, prod: { from: "registry.example:5000/a/b" }, dev: { base: "base" } };
    expect(registriesOf({ version: 1, images })).toEqual(["registry-1.docker.io", "registry.example:5000"]);
    expect(registriesOf({ version: 1 })).toEqual(["registry-1.docker.io"]);
  });

  test("has proxies without their passwords", () => {
    const found = checkProxy({ HTTPS_PROXY: "http://me:secret@proxy.example:3128" });
    expect(found).toMatchObject({ status: "ok", found: "HTTPS_PROXY=http://***@proxy.example:3128" });
    expect(checkProxy({ https_proxy: "no address" }).status).toBe("problem");
    expect(checkProxy({})).toMatchObject({ status: "ok", found: "none" });
  });

  test("without an answer says what cannot be done, and what can", async () => {
    // Nobody listens on this port of the machine itself.
    expect(await checkRegistry("127.0.0.1:1", {})).toMatchObject([
      { status: "warning", found: "ECONNREFUSED", impact: expect.stringContaining("what is here runs") },
    ]);
  });
});

describe("what was left behind", () => {
  const dead = JSON.stringify({
    pid: 2 ** 22 + 1,
    startTicks: "1",
    command: "fastloop watch",
    since: "2026-01-01T00:00:00Z",
  });

  test("is a lock of a process that is gone, which a repair takes away", async () => {
    const state = new ProjectState(makeTree());
    expect(checkLock(state).status).toBe("ok");
    state.write(".", "config.json", [Buffer.from("{}")]);
    writeFileSync(path.join(state.path, "lock"), dead);
    const found = checkLock(state);
    expect(found.status).toBe("warning");
    expect(await found.repair?.()).toContain("took the lock");
    expect(checkLock(state).status).toBe("ok");
  });

  test("is a state folder that must not be used", () => {
    const root = makeTree();
    mkdirSync(path.join(root, "elsewhere"));
    expect(checkState(new ProjectState(root)).status).toBe("ok");
    writeFileSync(path.join(root, ".fastloop"), "no folder");
    expect(checkState(new ProjectState(root))).toMatchObject({ status: "problem" });
  });
});

describe("the report", () => {
  const hidden = { home: "/home/ada", user: "ada", host: "lovelace", project: "/home/ada/work/engine-9" };
  const results: CheckResult[] = [
    { id: "registry registry.acme.example", status: "ok", found: "answers (200)" },
    { id: "disk", status: "problem", found: "1.0 GB free at /home/ada/.cache and /srv/clients/secret-project\nof ada@lovelace", expected: "x", impact: "y", fix: "z" }, // prettier-ignore
    { id: "proxy", status: "ok", found: "HTTPS_PROXY=http://u:hunter2@10.1.2.3:3128" },
    { id: "registry registry-1.docker.io", status: "ok", found: "/home/ada/work/engine-9/fastloop.yaml" },
  ];

  test("shows nothing of user, machine, project and company", () => {
    const text = bugReport(results, "0.1.0", hidden);
    for (const secret of ["ada", "lovelace", "acme", "hunter2", "10.1.2.3", "clients", "engine-9"])
      expect(text).not.toContain(secret);
    expect(text).toContain("registry-1.docker.io");
    expect(text).toContain("| disk | problem | 1.0 GB free at ");
  });

  test("leaves words alone that only hold a name", () => {
    expect(withoutPrivate("adapters of ada", hidden)).toBe("adapters of USER");
    expect(withoutPrivate("/proc/sys/fs/binfmt_misc", hidden)).toBe("/proc/sys/fs/binfmt_misc");
  });

  test("on a terminal says what was expected, what comes of it, and what to do", () => {
    expect(renderChecks(results, plain)).toMatch(
      /^problem {2}disk .*\n {9}of ada@lovelace\n {9}expected: x\n {9}impact: {3}y\n {9}fix: {6}z$/m,
    );
  });
});
