/** The example without a network: prepared with one, then tested in a network namespace that leads nowhere. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";
import { startRegistry, type BenchRegistry } from "../bench/registry.ts";
import { cliFile, fastloop, type CliResult } from "./cli-process.ts";
import { copyShop } from "./shop-copy.ts";

const root = packageRoot();
let folder: string;
let shop: string;
let env: NodeJS.ProcessEnv;
let registry: BenchRegistry;
/** Whose network namespace has a loopback interface and nothing else. */
let nowhere: ChildProcess;

/** A program that makes one query after the other in its session, and prints a line for each. */
const asks = `
const url = "http://127.0.0.1:" + process.env.DAGGER_SESSION_PORT + "/query"
const authorization = "Basic " + Buffer.from(process.env.DAGGER_SESSION_TOKEN + ":").toString("base64")
for (const query of process.argv.slice(2)) {
  const headers = { "content-type": "application/json", authorization }
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query }) })
  console.log(await answer.text())
}
`;

const withNetwork = (...words: string[]): Promise<CliResult> => fastloop(["-m", root, ...words], { cwd: shop, env });

function without(...words: string[]): Promise<CliResult> {
  const inside = ["-t", String(nowhere.pid), "-n", process.execPath, cliFile, "-m", root, ...words];
  return new Promise((resolve, reject) => {
    const child = spawn("nsenter", inside, { cwd: shop, env: { ...process.env, ...env } });
    const result: CliResult = { exitCode: null, stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ ...result, exitCode }));
  });
}

const ask = (...queries: string[]): string[] => ["--", process.execPath, path.join(folder, "ask.mjs"), ...queries];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-offline-"));
  env = { XDG_STATE_HOME: path.join(folder, "state"), FASTLOOP_TEST_STATE: folder };
  shop = path.join(folder, "shop");
  copyShop(shop);
  // One of its suites: the others are tested elsewhere, and have nothing of their own here.
  const file = path.join(shop, "fastloop.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace(/^ {4}api:[^]*?(?=^images:)/m, "\n"));
  writeFileSync(path.join(folder, "ask.mjs"), asks);
  registry = await startRegistry(folder);
  nowhere = spawn("unshare", ["-n", "sh", "-c", "ip link set lo up && echo ready && exec sleep 1800"]);
  await once(nowhere.stdout!, "data");
}, 600_000);
afterAll(async () => {
  await fastloop(["engine", "stop", "--force"], { cwd: folder, env });
  nowhere.kill();
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("what the loop needs is fetched, and listed by name and size", async () => {
  const image = `${registry.address}/tool:1`;
  const made = await withNetwork(
    "session",
    ...ask(
      `{ container { from(address: "debian:bookworm-slim") { withNewFile(path: "/tool", contents: "here") { publish(address: "${image}") } } } }`,
      `{ container { from(address: "${image}") { withExec(args: ["cat", "/tool"]) { stdout } } } }`,
    ),
  );
  expect(made.stdout, made.stderr).toContain('"stdout":"here"');
  const { exitCode, stdout, stderr } = await withNetwork("offline", "prepare", "--json");
  expect(exitCode, stdout + stderr).toBe(0);
  const { ready, parts } = JSON.parse(stdout) as {
    ready: boolean;
    parts: { kind: string; name: string; bytes?: number }[];
  };
  expect(ready).toBe(true);
  for (const [kind, name] of [
    ["program", /^buildkitd$/],
    ["image", /^docker\.io\/library\/node:22-bookworm-slim@sha256:/],
    ["volume", /\/root\/\.npm/],
    ["function", /^lib$/],
  ] as const) {
    const part = parts.find((each) => each.kind === kind && name.test(each.name));
    expect(part, `${kind} ${String(name)}`).toBeDefined();
    if (kind !== "function") expect(part?.bytes).toBeGreaterThan(0);
  }
  await withNetwork("engine", "stop");
  await registry.stop();
}, 600_000);

test("without a network it goes on, after edits of sources and of the lock file as well", async () => {
  const check = await without("offline", "check");
  expect(check.exitCode, check.stdout + check.stderr).toBe(0);
  expect(check.stdout).toContain("all that the loop needs is here");
  const cart = path.join(shop, "lib/src/cart.ts");
  writeFileSync(cart, `${readFileSync(cart, "utf8")}// edited on a train\n`);
  const lock = path.join(shop, "package-lock.json");
  writeFileSync(lock, `${readFileSync(lock, "utf8")}\n`);
  const run = await without("run", "--offline");
  expect(run.stdout, run.stderr).toContain("1 passed");
}, 600_000);

test("what a lock file wants anew is named at once", async () => {
  const files = ["package.json", "package-lock.json"].map((name) => path.join(shop, name));
  const before = files.map((file) => readFileSync(file, "utf8"));
  const [manifest, lock] = before.map((text) => JSON.parse(text) as Record<string, never>) as [never, never];
  const add = (to: { dependencies?: object }): object => ({
    ...to,
    dependencies: { ...to.dependencies, "left-pad": "1.3.0" },
  });
  const packages = (lock as { packages: Record<string, object> }).packages;
  const edited = {
    ...(lock as object),
    packages: {
      ...packages,
      "": add(packages[""]!),
      "node_modules/left-pad": {
        version: "1.3.0",
        resolved: "https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz",
      },
    },
  };
  writeFileSync(files[0]!, JSON.stringify(add(manifest)));
  writeFileSync(files[1]!, JSON.stringify(edited));
  const run = await without("run", "--offline");
  expect(run.exitCode).toBe(1);
  expect(run.stdout).toMatch(/left-pad-1\.3\.0\.tgz[^]*--offline: containers have no network/);
  const check = await without("offline", "check");
  expect(check).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^missing +function +lib .*left-pad/m) });
  for (const [index, file] of files.entries()) writeFileSync(file, before[index]!);
}, 600_000);

test("functions are refused what only the network has, and have what was fetched before", async () => {
  const exec = (command: string): string =>
    `{ container { from(address: "debian:bookworm-slim") { withExec(args: ["sh", "-c", ${JSON.stringify(command)}]) { stdout } } } }`;
  const { stdout } = await without(
    "session",
    "--offline",
    ...ask(
      `{ container { from(address: "${registry.address}/tool:1") { withExec(args: ["sh", "-c", "echo still $(cat /tool)"]) { stdout } } } }`,
      `{ container { from(address: "registry.example.com/other:1") { id } } }`,
      `{ http(url: "https://example.com/file") { contents } }`,
      `{ git(url: "https://example.com/repository") { head { commit } } }`,
      `{ container { from(address: "debian:bookworm-slim") { publish(address: "registry.example.com/shop") } } }`,
      exec("apt-get update -qq -o APT::Update::Error-Mode=any"),
      exec("getent hosts $(hostname)"),
    ),
  );
  const lines = stdout.trim().split("\n");
  expect(lines[0]).toContain("still here");
  expect(lines[1]).toContain("it is not on this machine, and --offline fetches nothing");
  expect(lines[2]).toContain("https://example.com/file needs the network, which --offline does without");
  expect(lines[3]).toContain("https://example.com/repository needs the network");
  expect(lines[4]).toContain("a push to registry.example.com needs the network");
  expect(lines[5]).toContain("--offline: containers have no network");
  expect(lines[6]).toContain("stdout");
}, 600_000);
