/** Who can have no engine hears it before anything is installed or built. */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../../..");
const nobody = 65534;
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-rights-"));
  chmodSync(folder, 0o777);
  cpSync(path.join(root, "tools"), path.join(folder, "tools"), { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) cpSync(path.join(root, name), path.join(folder, name));
  mkdirSync(path.join(folder, "src"));
  mkdirSync(path.join(folder, "bin"));
  // What set-up would begin with: it notes that it was started, and fails.
  program("npm", `: > ${folder}/started; exit 1`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const program = (name: string, script: string): void =>
  writeFileSync(path.join(folder, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

/** Set-up of a fresh checkout by an ordinary user. */
function setup(env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> & { began: boolean } {
  const ran = spawnSync(process.execPath, ["tools/setup.mjs"], {
    cwd: folder,
    uid: nobody,
    gid: nobody,
    env: { PATH: path.join(folder, "bin"), HOME: folder, TMPDIR: folder, ...env },
    encoding: "utf8",
  });
  return { ...ran, began: readdirSync(folder).includes("started") };
}

describe.runIf(process.getuid?.() === 0 && process.platform === "linux")("an ordinary user", () => {
  it("without a container runtime is refused, and nothing has begun", () => {
    const refused = setup();
    expect(refused).toMatchObject({ status: 1, began: false });
    expect(refused.stderr).toContain("containers need root or a container runtime");
    expect(refused.stderr).toContain("none is installed");
  });

  it("with one that does not answer is refused, too", () => {
    program("docker", "exit 1");
    const refused = setup();
    expect(refused).toMatchObject({ status: 1, began: false });
    expect(refused.stderr).toContain("docker: no answer");
  });

  it("with one that answers, or with a BuildKit daemon of another's, is set up", () => {
    expect(setup({ BUILDKIT_HOST: "tcp://127.0.0.1:1" }).began).toBe(true);
    rmSync(path.join(folder, "started"));
    program("docker", "exit 0");
    expect(setup().began).toBe(true);
  });
});
