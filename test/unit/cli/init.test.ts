/** `fastloop init`, in this process: what it finds, writes, asks and refuses. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fastloop, startFastloop, type CliResult } from "./fastloop.ts";

let root: string;
beforeEach(() => {
  Object.assign(globalThis, { __FASTLOOP_VERSION__: "1.2.3" });
  root = mkdtempSync(path.join(tmpdir(), "fastloop-init-"));
  write("package.json", '{"scripts":{"test":"node --test"}}');
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (file: string, text: string): void => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
};
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");
const init = (...words: string[]): Promise<CliResult> => fastloop(["init", ...words], { cwd: root });

describe("fastloop init", () => {
  test("writes what was found, says why, and never overwrites it", async () => {
    const first = await init();
    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.stdout).toMatch(/^wrote fastloop\.yaml\n {2}\S+: .*\nnext: `fastloop run`, then `fastloop watch`\n$/);
    expect(read("fastloop.yaml")).toContain("module: fastloop");
    const before = read("fastloop.yaml");
    expect(await init()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("init never overwrites") });
    expect(read("fastloop.yaml")).toBe(before);
  });

  test("a dry run prints the files, and as JSON all that is known, and writes nothing", async () => {
    write("package-lock.json", "{}");
    write("package.json", '{"scripts":{"test":"node --test"},"devDependencies":{"fastloop":"1.2.3"}}');
    const { stdout } = await init("--dry-run", "--module", "--make", "--ci", "github", "gitlab");
    for (const file of ["fastloop.yaml", "Makefile", ".github/workflows/fastloop.yml", ".gitlab-ci.yml"])
      expect(stdout).toContain(`# ${file}\n`);
    expect(stdout).toContain("FASTLOOP ?= npx fastloop\n");
    expect(stdout).toContain("# dagger.json and pipelines/");
    const asJson = JSON.parse((await init("--dry-run", "--json")).stdout) as unknown;
    expect(asJson).toMatchObject({ dryRun: true, module: false, files: [{ path: "fastloop.yaml" }] });
    expect(existsSync(path.join(root, "fastloop.yaml"))).toBe(false);
  });

  test("files of CI know the tier, the environments and what is published, from a fastloop.yaml that is there", async () => {
    write(
      "fastloop.yaml",
      `version: 1
name: shop
module: fastloop
images:
  base: { from: "node:22-slim", registry: ghcr.io/acme/base }
publish: { image: ghcr.io/acme/shop }
deploy:
  environments:
    production: { context: prod, namespace: shop, production: true }
    staging: { context: staging, namespace: shop }
    local: { namespace: shop }
  apps:
    web: { manifests: [web/] }
tests:
  suites:
    unit: { preset: npm, tiers: { fast: npm test } }
`,
    );
    const made = await init("--ci", "github", "--make");
    expect(made.exitCode, made.stderr).toBe(0);
    const workflow = read(".github/workflows/fastloop.yml");
    expect(workflow).toContain("npx --yes fastloop@1.2.3");
    expect(workflow).toContain("ghcr.io/acme/base");
    // Production comes last, and a cluster of one's own machine is none of CI's.
    expect(workflow).toMatch(/deploy staging[^]*deploy production/);
    expect(workflow).not.toContain("deploy local");
    expect(read("Makefile")).toContain("ENV ?= staging\n");
    expect(await init("--ci", "github")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("already exists"),
    });
  });

  test("workflows that call dagger alone need a module in the repository, which is written with it", async () => {
    const refused = await init("--ci", "github", "--ci-calls", "dagger");
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("add --module") });
    const made = await init("--module", "--ci", "github", "--ci-calls", "dagger");
    expect(made.exitCode, made.stderr).toBe(0);
    expect(read(".github/workflows/fastloop.yml")).toContain("- run: dagger call test --source . --tier");
    expect(read("fastloop.yaml")).not.toContain("module:");
    expect(JSON.parse(read("dagger.json"))).toMatchObject({ name: expect.stringMatching(/^fastloop-init-/) });
    expect(read("pipelines/src/index.ts")).toMatch(/export class FastloopInit\w* \{/);
  });

  test("a module has the same functions with either manifest, of which there is one", async () => {
    const functionsWith = async (...manifest: string[]): Promise<string> => {
      const made = await init("--module", ...manifest);
      expect(made.exitCode, made.stderr).toBe(0);
      const { stdout, stderr } = await fastloop(["functions"], { cwd: root });
      expect(stderr).toBe("");
      return stdout;
    };
    const listed = await functionsWith();
    expect(listed).toMatch(/^build-base +[A-Z]/m);
    const again = await init("--module", "dagger-module.toml");
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("dagger.json: already exists") });
    for (const file of ["dagger.json", "pipelines", "fastloop.yaml"])
      rmSync(path.join(root, file), { recursive: true });
    expect(await functionsWith("dagger-module.toml")).toBe(listed);
    expect(read("dagger-module.toml")).toMatch(/^name = "fastloop-init-\w+"\nengineVersion = "v1/);
    expect(existsSync(path.join(root, "dagger.json"))).toBe(false);
  });

  test("a repository with nothing to test is told what is known", async () => {
    rmSync(path.join(root, "package.json"));
    const none = await init();
    expect(none.exitCode).toBe(2);
    expect(none.stderr).toContain("nothing that fastloop can test or start was found here");
    expect(none.stderr).toContain("it knows packages of npm, pnpm, yarn, bun, pip");
  });

  test("services come from a compose file, without what git ignores, and without what has no equal", async () => {
    writeFileSync(path.join(root, ".gitignore"), ".env\n");
    writeFileSync(path.join(root, ".env"), "DB_PASSWORD=verysecret\n");
    writeFileSync(
      path.join(root, "compose.yaml"),
      `services:
  db: { image: "postgres:16", environment: { POSTGRES_PASSWORD: "\${DB_PASSWORD}" } }
  api: { build: ., privileged: true, ports: ["8080:80"], volumes: ["/etc:/host", "./lib:/lib2"], depends_on: [db] }
`,
    );
    const { exitCode, stderr, stdout } = await init();
    expect(exitCode, stderr).toBe(0);
    const text = read("fastloop.yaml");
    expect(text).toContain(
      "# What `fastloop up` starts, from compose.yaml.\nservices:\n  db:\n    image: postgres:16\n",
    );
    expect(text).not.toContain("verysecret");
    expect(text).not.toMatch(/privileged|host/);
    for (const told of ["$DB_PASSWORD has no value", "api: `privileged` is left out", "/etc is not mounted"])
      expect(stderr).toContain(told);
    expect(stdout).toContain("`fastloop up` starts its services");
    const explained = await fastloop(["up", "--explain", "api"], { cwd: root });
    expect(explained.exitCode, explained.stderr).toBe(0);
  });

  test.each([
    [
      "Procfile",
      "web: node a.js\nrelease: no\nw: cd w && x\n",
      /web:[^]*PORT: "5000"[^]*ports: 5000\n  w:[^]*\[sh, -c, cd w && x\]\n$/,
    ],
    [
      "Dockerfile.dev",
      "FROM x\nEXPOSE 3000/tcp 9\n",
      /app:\n    build:\n      context: .\n      dockerfile: Dockerfile.dev\n    ports: \[3000, 9\]/,
    ],
    [
      "package.json",
      '{"scripts":{"test":"node --test","dev":"vite"}}',
      /app:[^]*npm install[^]*command: npm run dev -- --host 0.0.0.0\n    ports: 5173/,
    ],
    ["compose.yaml", "services: { a: { image: x, ports: [80] }, b: { image: x, ports: [80] } }", /^(?![^]*services:)/],
  ])("services come from %s", async (file, text, expected) => {
    writeFileSync(path.join(root, file), text);
    const { exitCode, stderr } = await init();
    expect(exitCode, stderr).toBe(0);
    expect(read("fastloop.yaml")).toMatch(expected);
    if (file === "compose.yaml") expect(stderr).toContain("no services are written from compose.yaml: ");
  });

  test("on a terminal it asks for a module and for a workflow of the CI that is in use", async () => {
    mkdirSync(path.join(root, ".circleci"));
    let asked = 0;
    const running = startFastloop(["init"], {
      cwd: root,
      isTTY: true,
      onOutput: (_stream, text) => {
        if (!text.includes("[y/N]")) return;
        asked++;
        running.press(text.includes("A module") ? "\r" : "y\r");
      },
    });
    const { exitCode, stderr } = await running.ended;
    expect(exitCode, stderr).toBe(0);
    expect(asked).toBe(2);
    expect(existsSync(path.join(root, "dagger.json"))).toBe(false);
    expect(existsSync(path.join(root, ".circleci/config.yml"))).toBe(true);
  });
});
