import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Config } from "../../../src/config/index.ts";
import { engineKey } from "../../../src/engine/index.ts";
import { assumedEngine } from "../../../src/session/index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-key-"));
  for (const name of ["BUILDKIT_HOST", "DAGGER_SESSION_PORT", "_EXPERIMENTAL_DAGGER_CLI_BIN"]) vi.stubEnv(name, "");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test("the key of an engine moves with which one it is, with what runs bodies, and with the program", async () => {
  const dagger = path.join(folder, "dagger");
  writeFileSync(dagger, "#!/bin/sh\n");
  chmodSync(dagger, 0o755);
  vi.stubEnv("PATH", folder);
  vi.stubEnv("DOCKER_HOST", "");
  const embedded = { engine: "embedded", buildkitHost: "tcp://a:1" };
  const named = { engine: "auto", buildkitHost: "tcp://a:1" };
  expect(await engineKey(named)).toBe(await engineKey(embedded));
  const keys = [
    await engineKey(embedded),
    await engineKey({ ...embedded, buildkitHost: "tcp://b:1" }),
    await engineKey({ ...embedded, via: "module" }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  for (const key of keys) expect(key).toMatch(/^embedded on tcp.*, fastloop /);
  vi.stubEnv("_EXPERIMENTAL_DAGGER_RUNNER_HOST", "kube-pod://a");
  const before = await engineKey({ engine: "dagger" });
  expect(before).toMatch(/^dagger by .*\/dagger of .* on kube-pod:\/\/a, fastloop /);
  utimesSync(dagger, 1, 1);
  expect(await engineKey({ engine: "dagger" })).not.toBe(before);
});

test("a plan takes the engine that ran last for granted, unless it can't be the one that is asked for", async () => {
  const assumed = (last: string, options: Parameters<typeof assumedEngine>[2], engine: Config["engine"] = {}) =>
    assumedEngine(
      last,
      { config: { config: { version: 1, engine } }, trust: { allows: () => true } } as unknown as Parameters<
        typeof assumedEngine
      >[1],
      options,
    );
  const environment = {};
  const last = await engineKey({ engine: "embedded", buildkitHost: "tcp://a:1" });
  expect(assumed(last, { environment })).toBe(last);
  expect(assumed(last, { environment, engine: "embedded" })).toBe(last);
  expect(assumed(last, { environment, engine: "dagger" })).toBe("");
  expect(assumed(last, { environment }, { use: "dagger" })).toBe("");
  expect(assumed(last, { environment }, { buildkit: "tcp://b:1" })).toBe("");
  expect(assumed(last, { environment, via: "module" })).toBe("");
  expect(assumed(last.replace(/fastloop .*/, "fastloop other"), { environment })).toBe("");
});
