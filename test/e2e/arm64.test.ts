// A foreign platform: its image is bootstrapped when it is first needed, its commands run through QEMU.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";
import { fastloop } from "./cli-process.ts";

let project: string;

beforeAll(() => {
  project = mkdtempSync(path.join(tmpdir(), "fastloop-arm64-"));
  writeFileSync(
    path.join(project, "fastloop.yaml"),
    "version: 1\nname: foreign\nimages: { base: { from: debian:bookworm-slim } }\n",
  );
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

const foreign =
  process.arch === "arm64"
    ? { platform: "linux/amd64", machine: "x86_64" }
    : { platform: "linux/arm64", machine: "aarch64" };

// Ten minutes: on a machine that never saw this platform, two base systems are unpacked and configured under emulation.
test(`build-base --platform ${foreign.platform} gives a container of that machine`, { timeout: 600_000 }, async () => {
  const words = [
    "build-base",
    "--source",
    ".",
    "--platform",
    foreign.platform,
    "with-exec",
    "--args",
    "uname,-m",
    "stdout",
  ];
  const { exitCode, stdout, stderr } = await fastloop(["-m", packageRoot(), "call", ...words], { cwd: project });
  expect(exitCode, stderr).toBe(0);
  expect(stdout.trim()).toBe(foreign.machine);
});
