/** What set-up's programs see of the user's environment, and what a command's own set-up does not do. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { daemonEnvironment } from "../../../src/paths/index.ts";
// @ts-expect-error plain JavaScript
import { environmentFor as untyped } from "../../../tools/setup/environment.mjs";

const environmentFor = untyped as (command: string, env: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
const tools = path.resolve(import.meta.dirname, "../../../tools");
let folder = "";
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), "fastloop-setup-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const secrets = { AWS_SECRET_ACCESS_KEY: "s", GITHUB_TOKEN: "s", LD_PRELOAD: "s", NODE_OPTIONS: "s" };
const registries = { GOPROXY: "g", PIP_INDEX_URL: "p", npm_config_registry: "n", NPM_TOKEN: "t" };

it("a program sees what a daemon sees, and its own registries", () => {
  const given = { PATH: "/usr/bin", HOME: "/h", LC_ALL: "C", https_proxy: "x", ...secrets, ...registries };
  const plain = { PATH: "/usr/bin", HOME: "/h", LC_ALL: "C", https_proxy: "x" };
  expect(environmentFor("tar", given)).toEqual(plain);
  expect(environmentFor("/usr/local/go/bin/go", given)).toEqual({ ...plain, GOPROXY: "g" });
  expect(environmentFor("pip3", given)).toEqual({ ...plain, PIP_INDEX_URL: "p" });
  expect(environmentFor("npm", given)).toEqual({ ...plain, npm_config_registry: "n", NPM_TOKEN: "t" });
});

it("what a daemon may have, set-up's programs may have too", () => {
  const all = { ...process.env, PATH: "/usr/bin", HOME: "/h", TZ: "UTC", FASTLOOP_NETWORK: "host", HTTP_PROXY: "x" };
  const { npm_config_registry: _registry, NPM_CONFIG_REGISTRY: _other, ...daemon } = daemonEnvironment(all);
  expect(environmentFor("tar", all)).toMatchObject(daemon);
});

/** A set-up step that needs the package, with a stand-in for apt-get that only notes that it was started. */
function install(mayInstall: boolean, env: NodeJS.ProcessEnv = {}): { stdout: string; apt: boolean } {
  const bin = path.join(folder, "bin");
  mkdirSync(bin);
  for (const name of ["apt-get", "sudo"]) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\necho "${name} $*" >> ${folder}/started\n`);
    chmodSync(path.join(bin, name), 0o755);
  }
  const script = path.join(folder, "step.mjs");
  writeFileSync(
    script,
    `import { existsSync } from "node:fs";
     import { systemPackages } from ${JSON.stringify(path.join(tools, "setup/system-packages.mjs"))};
     const step = systemPackages(["qemu"], ${JSON.stringify(path.join(folder, "lock"))}, ${mayInstall});
     const outcome = step === undefined ? "present" : await step.run(() => {}, () => () => {}).then(() => "done", (error) => error.format());
     console.log(JSON.stringify({ stdout: outcome, apt: existsSync(${JSON.stringify(path.join(folder, "started"))}) }));`,
  );
  // Nothing but the stand-ins on the PATH, so that the package is missing.
  const { stdout } = spawnSync(process.execPath, [script], {
    env: { PATH: bin, HOME: folder, ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(stdout) as { stdout: string; apt: boolean };
}

it.runIf(process.getuid?.() === 0).each([{}, { CI: "true" }])(
  "a command installs no system packages without a terminal, and says who does: %j",
  (env) => {
    expect(install(false, env)).toEqual({
      stdout:
        "setup failed: system packages are missing: qemu-user-static\n  what to do: `fastloop setup` installs them",
      apt: false,
    });
  },
);

it.runIf(process.getuid?.() === 0)("the user's own set-up installs them", () => {
  expect(install(true)).toEqual({ stdout: "done", apt: true });
});
