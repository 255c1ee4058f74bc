import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { deployerProgram } from "../../../pipelines/vendor/deployer.mjs";

test("the deployer says in one sentence which of its files it can't read", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-deployer-"));
  try {
    const [program, request, missing] = ["deployer.mjs", "request.json", "kubeconfig"].map((name) =>
      path.join(folder, name),
    ) as [string, string, string];
    writeFileSync(program, deployerProgram);
    writeFileSync(request, "{}");
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, request, missing], { encoding: "utf8" });
    expect([status, stdout, stderr]).toEqual([1, `the deployer can't read ${missing} (ENOENT)\n`, ""]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
