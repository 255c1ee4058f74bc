import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sweepTemporary, temporaryFolder } from "../../../src/state/index.ts";
import { packageRoot } from "../../../src/paths/index.ts";

let parent = "";
beforeEach(() => void (parent = mkdtempSync(path.join(tmpdir(), "temporary-"))));
afterEach(() => rmSync(parent, { recursive: true, force: true }));

/** The folder of a process that was killed. */
async function leftBehind(): Promise<string> {
  const door = path.join(packageRoot(), "dist", "setup-support.js");
  const script = `const { temporaryFolder } = await import(${JSON.stringify(door)}); process.stdout.write(temporaryFolder("demo", ${JSON.stringify(parent)})); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [folder] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  sweepTemporary(parent);
  expect(existsSync(folder)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "close");
  writeFileSync(path.join(folder, "file"), "");
  return folder;
}

describe("temporary folders", () => {
  it("of a process that was killed are swept, those of living ones stay", async () => {
    const own = temporaryFolder("gate", parent);
    const left = await leftBehind();
    expect(readdirSync(parent)).toHaveLength(2);
    sweepTemporary(parent);
    expect([existsSync(left), existsSync(own)]).toEqual([false, true]);
    // The pid is another process's by now.
    const recycled = path.join(parent, path.basename(own).replace(/-[0-9a-f]{8}-/, "-00000000-"));
    renameSync(own, recycled);
    temporaryFolder("demo", parent);
    expect(existsSync(recycled)).toBe(false);
  });

  it("are taken for ours only with our exact name, mode and kind", async () => {
    const left = await leftBehind();
    const name = path.basename(left);
    const others = [
      `${name}x`,
      name.replace("demo", "home"),
      name.replace("fastloop", "fastloop2"),
      name.slice(0, -1),
      "fastloop-demo-AbCdEf",
    ];
    for (const other of others) mkdirSync(path.join(parent, other), { mode: 0o700 });
    const outside = path.join(parent, "outside");
    mkdirSync(outside);
    writeFileSync(path.join(outside, "file"), "");
    const link = path.join(parent, name.replace(/.{6}$/, "LINK00"));
    symlinkSync(outside, link);
    symlinkSync(outside, path.join(left, "link"));
    const open = path.join(parent, name.replace(/.{6}$/, "OPEN00"));
    mkdirSync(open);
    chmodSync(open, 0o755);
    const file = path.join(parent, name.replace(/.{6}$/, "FILE00"));
    writeFileSync(file, "");
    sweepTemporary(parent);
    expect(readdirSync(parent).sort()).toEqual(
      [...others, "outside", path.basename(link), path.basename(open), path.basename(file)].sort(),
    );
    expect(existsSync(path.join(outside, "file"))).toBe(true);
  });

  it("of another boot or container stay for a week", async () => {
    const name = path.basename(await leftBehind()).replace(/-[0-9a-f]{8}(-[A-Za-z0-9]{6})$/, "-00000000$1");
    const foreign = path.join(parent, name);
    mkdirSync(foreign, { mode: 0o700 });
    sweepTemporary(parent);
    expect(existsSync(foreign)).toBe(true);
    const before = Date.now() / 1000 - 8 * 24 * 3600;
    utimesSync(foreign, before, before);
    sweepTemporary(parent);
    expect(existsSync(foreign)).toBe(false);
  });
});
