import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFindShim } from "../../../src/engine-daemon/set-up/shims.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "fastloop-shims-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a helper of another architecture is built on first need, once for all who need it, and again after a failure", async () => {
  const calls: string[][] = [];
  let fails = true;
  const fileFor = (arch: string): string => path.join(folder, arch, "shim");
  const find = createFindShim(fileFor, async (parts, _options, extra = []) => {
    calls.push([...parts, ...extra]);
    await Promise.resolve();
    if (fails) throw new Error("no Go");
    mkdirSync(path.join(folder, "arm64"));
    writeFileSync(fileFor("arm64"), "");
  });
  await expect(find("arm64")).rejects.toThrow("no Go");
  fails = false;
  expect(new Set(await Promise.all([find("arm64"), find("arm64")]))).toEqual(new Set([path.join(folder, "arm64")]));
  await find("arm64");
  const asked = ["shim", "--arch", "arm64"];
  expect(calls).toEqual([asked, asked]);
});
