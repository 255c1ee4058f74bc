import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { startEngine } from "../../../src/engine/embedded/open.ts";

const folder = mkdtempSync(path.join(tmpdir(), "fastloop-open-"));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

it.runIf(process.platform === "linux")("a user without root is told before anything is built", async () => {
  vi.stubEnv("XDG_CACHE_HOME", path.join(folder, "cache"));
  vi.spyOn(process, "getuid").mockReturnValue(1000);
  const notices: string[] = [];
  const opening = startEngine(
    { kind: "buildkitd", command: undefined, reason: "nothing else is here" },
    { onNotice: (text) => notices.push(text) },
  );
  await expect(opening).rejects.toThrow("the embedded engine's buildkitd needs root");
  expect([notices, existsSync(path.join(folder, "cache"))]).toEqual([[], false]);
});

it("a daemon that does not answer is told before anything is built for it", async () => {
  vi.stubEnv("XDG_CACHE_HOME", path.join(folder, "cache"));
  const notices: string[] = [];
  const opening = startEngine(
    { kind: "buildkit-host", address: `unix://${folder}/none.sock`, reason: "BUILDKIT_HOST" },
    { onNotice: (text) => notices.push(text) },
  );
  await expect(opening).rejects.toThrow(`no BuildKit daemon answers at unix://${folder}/none.sock`);
  expect([notices, existsSync(path.join(folder, "cache"))]).toEqual([[], false]);
});
