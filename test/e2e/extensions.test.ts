/** The examples of extensions, on real runs and a real Redis. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";
import { fastloop, type CliResult } from "./cli-process.ts";
import { LoopProject } from "./loop-project.ts";
import { freePorts, UpProject } from "./up-project.ts";

let project: LoopProject;
let redis: UpProject;
let address = "";

beforeAll(async () => {
  project = new LoopProject();
  for (const name of ["redis-cache.ts", "by-position.ts", "load.ts"])
    copyFileSync(path.join(packageRoot(), "examples/extensions", name), project.at(name));
  redis = new UpProject();
  const [port] = await freePorts(1);
  redis.configure({ services: { redis: { preset: "redis", ports: `${port}:6379` } } });
  const { exitCode, stderr } = await redis.run("up", "-d", "--wait");
  expect(exitCode, stderr).toBe(0);
  address = `127.0.0.1:${port}`;
});
afterAll(async () => {
  await redis.remove();
  await project.remove();
});

function use(extensions: object): void {
  const targets = { lib: { call: "test --source . --part lib" }, api: { call: "test --source . --part api" } };
  project.write("fastloop.yaml", JSON.stringify({ version: 1, extensions, watch: { targets }, engine: { jobs: 2 } }));
}

test("results of calls go to Redis, and come from it where the project has none", async () => {
  use({ cache: "./redis-cache.ts" });
  const call = (env: NodeJS.ProcessEnv = {}): Promise<CliResult> =>
    fastloop(["call", "test", "--source", "lib", "--part", "."], {
      cwd: project.root,
      env: { REDIS_ADDRESS: address, FASTLOOP_STATE_KEY: "k".repeat(40), FASTLOOP_TRUST: "1", ...env },
    });
  const first = await call();
  expect(first).toMatchObject({ exitCode: 0 });
  expect(first.stderr).not.toContain("cached:");
  // Another machine of the same key: it has nothing but Redis.
  rmSync(project.at(".fastloop"), { recursive: true });
  expect(await call()).toMatchObject({ exitCode: 0, stdout: first.stdout, stderr: expect.stringContaining("cached:") });
  // One with another key takes nobody's word for it.
  const other = await call({ FASTLOOP_STATE_KEY: "o".repeat(40) });
  expect(other.stderr).not.toContain("cached:");
  expect(other).toMatchObject({ exitCode: 0 });
  // A server that is gone costs a line.
  const gone = await call({ REDIS_ADDRESS: "127.0.0.1:1" });
  expect(gone).toMatchObject({ exitCode: 0, stdout: first.stdout });
  expect(gone.stderr).toMatch(/^the cache "redis" is not used any more: get\(\) failed \(.*ECONNREFUSED.*\)$/m);
  const untrusted = await call({ FASTLOOP_TRUST: "0" });
  expect(untrusted).toMatchObject({ exitCode: 0, stdout: first.stdout });
  expect(untrusted.stderr).toContain("redis-cache.ts (sha256 ");
  expect(untrusted.stderr).toContain("it is not used, for this needs your trust");
});

test("runs wait for a monitor of the project's, are compared by a strategy of its, and without trust by the default", async () => {
  use({ diff: "./by-position.ts", resources: "./load.ts" });
  expect(await project.run("--trust", "run")).toMatchObject({ exitCode: 0 });
  project.write("lib/a.txt", "lib two\n");
  expect(await project.run("--trust", "run")).toMatchObject({ exitCode: 0 });
  const trusted = await project.run("--trust", "diff", "api~1", "api", "--json");
  expect(JSON.parse(trusted.stdout)).toMatchObject({ before: "api~1", isDifferent: true });
  const untrusted = await project.run("diff", "api~1", "api");
  expect(untrusted.stderr).toContain("by-position.ts (sha256 ");
  // What the user types is the user's word.
  expect((await project.run("diff", "api~1", "api", "--strategy", "./by-position.ts")).stderr).toBe("");
  expect(await project.run("diff", "api~1", "api", "--strategy", "guess")).toMatchObject({
    exitCode: 2,
    stderr: 'error: --strategy: "guess" is not one of set, edit\nhint: write a file of the project with a leading ./\n',
  });
});

test("the monitor that is named is asked: one that fails says so", async () => {
  project.write(
    "broken.mjs",
    'export default { name: "broken", currentUsage() { throw new Error("no meter"); }, canAllocate: () => true };',
  );
  use({ resources: "./broken.mjs" });
  const { exitCode, stdout, stderr } = await project.run("--trust", "run", "lib", "api", "--force", "--jobs", "2");
  expect(exitCode, stderr).toBe(0);
  expect(stdout + stderr).toContain('the resource monitor "broken" is not used any more: it failed (no meter)');
});

test("a file that is no extension is named, with what is wrong", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-no-extension-"));
  writeFileSync(path.join(folder, "mine.ts"), "export default { name: 'mine' }");
  const { exitCode, stderr } = await fastloop(["diff", "--strategy", "./mine.ts"], { cwd: folder });
  expect(stderr).toBe(
    "error: --strategy ./mine.ts: the default export has no diff(): an object with a name and diff() was expected\n",
  );
  expect(exitCode).toBe(2);
  rmSync(folder, { recursive: true });
});

test.each([
  ["as it is loaded", "process.exit(0); export default {};"],
  [
    "later, while the command waits",
    "await new Promise((done) => setImmediate(() => done(process.exit(0)))); export default {};",
  ],
])("a program that ends the process %s makes no command pass", async (_when, source) => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-exits-"));
  writeFileSync(path.join(folder, "exits.mjs"), source);
  expect(await fastloop(["diff", "--strategy", "./exits.mjs"], { cwd: folder })).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("error: the process ended before the command was done\nhint: "),
  });
  rmSync(folder, { recursive: true });
});
