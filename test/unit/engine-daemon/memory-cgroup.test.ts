import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { isOfAnotherEngine, openMemoryCgroup } from "../../../src/engine-daemon/buildkitd/memory-cgroup.ts";

/** Files laid out as the kernel lays out its own; a real one is in test/e2e/limits.test.ts. */
let root = "";

beforeEach(() => (root = mkdtempSync(path.join(tmpdir(), "cgroup-"))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const read = (...names: string[]): string => readFileSync(path.join(root, ...names), "utf8").trim();

it("is one of the memory controller in version 1", () => {
  mkdirSync(path.join(root, "memory"));
  writeFileSync(path.join(root, "memory", "memory.limit_in_bytes"), "1");
  const cgroup = openMemoryCgroup("/state", root)!;
  const file = ["memory", cgroup.name, "memory.limit_in_bytes"];
  expect(read(...file)).toBe("-1");
  cgroup.bound(64_000_000);
  expect(read(...file)).toBe("64000000");
  expect(openMemoryCgroup("/other", root)!.name).not.toBe(cgroup.name);
});

it("is one of all controllers in version 2, where the memory controller is switched on for it", () => {
  writeFileSync(path.join(root, "cgroup.controllers"), "cpu memory pids\n");
  writeFileSync(path.join(root, "cgroup.subtree_control"), "cpu\n");
  const cgroup = openMemoryCgroup("/state", root)!;
  expect(read("cgroup.subtree_control")).toBe("+memory");
  cgroup.bound(64_000_000);
  expect(read(cgroup.name, "memory.max")).toBe("64000000");
  cgroup.bound(undefined);
  expect(read(cgroup.name, "memory.max")).toBe("max");
});

it("is none where there is none, or none that can be made", () => {
  expect(openMemoryCgroup("/state", root)).toBeUndefined();
  writeFileSync(path.join(root, "cgroup.controllers"), "cpu pids\n");
  writeFileSync(path.join(root, "cgroup.subtree_control"), "cpu\n");
  expect(openMemoryCgroup("/state", root)).toBeUndefined();
});

it("takes itself away under every controller", () => {
  mkdirSync(path.join(root, "memory"));
  writeFileSync(path.join(root, "memory", "memory.limit_in_bytes"), "1");
  const cgroup = openMemoryCgroup("/state", root)!;
  const made = ["memory", "cpu"].map((controller) => path.join(root, controller, cgroup.name));
  for (const folder of made) mkdirSync(path.join(folder, "buildkit"), { recursive: true });
  // The kernel's own files do not keep a folder from being removed.
  rmSync(path.join(made[0]!, "memory.limit_in_bytes"));
  cgroup.remove();
  expect(made.map((folder) => existsSync(folder))).toEqual([false, false]);
});

it("tells the containers of an engine in a chroot from those of ours, and whose nested ones are", () => {
  const own = "fastloop-0123456789ab";
  const other = "fastloop-ba9876543210";
  const lines = (folder: string): string => `9:name=systemd:${folder}\n8:pids:${folder}\n0::/\n`;
  expect(isOfAnotherEngine(lines(`/${own}/buildkit/x`), own)).toBe(false);
  expect(isOfAnotherEngine(lines(`/${other}/buildkit/x`), own)).toBe(true);
  expect(isOfAnotherEngine(lines(`/${own}/buildkit/x/${other}/buildkit/y`), own)).toBe(true);
  expect(isOfAnotherEngine(`0::/docker/1/${other}/buildkit/x/${own}/buildkit/y`, own)).toBe(false);
  for (const nobodys of ["", lines("/"), lines("/buildkit/x")]) expect(isOfAnotherEngine(nobodys, own)).toBe(false);
});
