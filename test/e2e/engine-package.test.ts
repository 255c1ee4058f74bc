/**
 * The engine's npm package as its users have it: installed beside fastloop's, with no Go and no cache. The release workflow
 * packs both and names the folder of the packed files in FASTLOOP_TEST_RELEASE; elsewhere there is nothing to try.
 */
import { execFileSync, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const release = process.env.FASTLOOP_TEST_RELEASE;

describe.skipIf(release === undefined)("the packed engine", () => {
  let folder: string;
  let project: string;
  const programs = (): string => path.join(folder, "node_modules/@fastloop", `engine-linux-${process.arch}`);
  const env = (): NodeJS.ProcessEnv => ({
    ...process.env,
    XDG_STATE_HOME: path.join(folder, "state"),
    XDG_CACHE_HOME: path.join(folder, "cache"),
    FASTLOOP_DIST: "",
    // Whatever would build or install: nothing of it is found.
    PATH: `${path.join(folder, "bin")}:/usr/sbin:/sbin`,
  });
  const run = (...args: string[]): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, [path.join(folder, "node_modules/fastloop/dist/fastloop.js"), ...args], {
      cwd: project,
      env: env(),
      encoding: "utf8",
    });

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "fastloop-engine-package-"));
    project = path.join(folder, "project");
    mkdirSync(project);
    mkdirSync(path.join(folder, "bin"));
    for (const name of ["git", "tar", "sh"])
      cpSync(execFileSync("which", [name], { encoding: "utf8" }).trim(), path.join(folder, "bin", name));
    const packed = readdirSync(release!).filter((name) => name.endsWith(".tgz"));
    execFileSync(
      "npm",
      ["install", "--prefix", folder, "--no-audit", "--no-fund", ...packed.map((name) => path.join(release!, name))],
      { cwd: folder, stdio: "ignore" },
    );
    // Base images are another matter: those of this machine, where it has made its own.
    const images = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "fastloop/images");
    if (existsSync(images)) cpSync(images, path.join(folder, "cache/fastloop/images"), { recursive: true });
    execFileSync("git", ["init", "-q"], { cwd: project });
    writeFileSync(
      path.join(project, "package.json"),
      JSON.stringify({ name: "empty", private: true, type: "module", scripts: { test: "node --test" } }),
    );
    writeFileSync(
      path.join(project, "sum.test.js"),
      'import { strictEqual } from "node:assert";\nimport { test } from "node:test";\ntest("sum", () => strictEqual(1 + 1, 2));\n',
    );
  }, 10 * 60_000);

  afterAll(() => {
    run("engine", "stop", "--force");
    rmSync(folder, { recursive: true, force: true });
  });

  test("has the programs, and the licences of what is linked into them", () => {
    for (const file of ["bin/buildkitd", "bin/runc", "cni/bridge", "shim/amd64/shim", "shim/arm64/shim"])
      expect(existsSync(path.join(programs(), file)), file).toBe(true);
    const licences = readFileSync(path.join(programs(), "licences.txt"), "utf8");
    for (const name of ["github.com/moby/buildkit", "github.com/opencontainers/runc", "libseccomp"])
      expect(licences).toContain(name);
  });

  test(
    "brings a first verdict with nothing built and nothing installed",
    () => {
      expect(run("init").status).toBe(0);
      const first = run("run");
      expect(first.status, first.stderr + first.stdout).toBe(0);
      expect(existsSync(path.join(folder, "cache/fastloop/tools"))).toBe(false);
      expect(existsSync(path.join(folder, "cache/fastloop/confine"))).toBe(false);
    },
    15 * 60_000,
  );
});
