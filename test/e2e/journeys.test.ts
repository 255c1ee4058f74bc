/**
 * What people set out to do with the example, each from a clean checkout to its end. Three have files of their own: a base
 * image's versions (pipelines.test.ts), a release onto a cluster (test/deploy), work without a network (offline.test.ts).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";
import { startRegistry, type BenchRegistry } from "../bench/registry.ts";
import { fastloop, type CliResult } from "./cli-process.ts";
import { copyShop } from "./shop-copy.ts";
import { freePorts, get, until } from "./up-project.ts";

const module = packageRoot();
/** Two ports of the example are free with this offset; everything else is its own. */
let env: NodeJS.ProcessEnv;
let folder: string;
let shop: string;
let registry: BenchRegistry;
let ports: { api: number; web: number };

const run = (...words: string[]): Promise<CliResult> => fastloop(["-m", module, ...words], { cwd: shop, env });
const git = (cwd: string, ...words: string[]): string =>
  execFileSync("git", ["-c", "user.name=New", "-c", "user.email=new@example.com", ...words], { cwd, encoding: "utf8" });
const edit = (file: string, from: string, to: string): void => {
  const name = path.join(shop, file);
  const text = readFileSync(name, "utf8");
  expect(text).toContain(from);
  writeFileSync(name, text.replace(from, to));
};

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-journeys-"));
  const origin = path.join(folder, "origin");
  copyShop(origin);
  registry = await startRegistry(folder);
  shop = origin;
  edit("fastloop.yaml", "    version: 1.0.0\n", `    version: 1.0.0\n    registry: ${registry.address}/shop-base\n`);
  git(origin, "init", "-q", "-b", "main");
  git(origin, "add", ".");
  git(origin, "commit", "-qm", "The shop");
  for (;;) {
    const [free = 0] = await freePorts(1);
    const offset = free - 8080;
    if (offset <= 0 || 3000 + offset > 65_000) continue;
    env = { FASTLOOP_PORT_OFFSET: String(offset) };
    ports = { api: free, web: 3000 + offset };
    return;
  }
});
afterAll(async () => {
  await run("down");
  await registry?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const minutes = 60_000;

/** A clean checkout, as the commands of a journey find it. */
function clone(name: string): void {
  git(folder, "clone", "-q", "origin", name);
  shop = path.join(folder, name);
}
async function passes(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(...words);
  expect(exitCode, `${words.join(" ")}\n${stdout}\n${stderr}`).toBe(0);
  return stdout;
}
async function phases(): Promise<string[][]> {
  const status = JSON.parse(await passes("status", "--json")) as { services: { name: string; phase: string }[] };
  return status.services.map(({ name, phase }) => [name, phase]);
}

test(
  "a new contributor: clone, the weekly base image from the registry, up, the first commit",
  { timeout: 15 * minutes },
  async () => {
    // The weekly job of the repository, for this machine's platform.
    const platform = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
    await passes("call", "publish-base", "--source", ".", "--platforms", platform);
    clone("contributor");
    // No base image is built here: the weekly one is there, or this fails.
    await passes("call", "build-dev", "--source", ".", "--on-base-missing", "fail", "sync");
    await passes("up", "-d");
    expect(await get(ports.web)).toContain("<title>Shop</title>");
    edit("web/public/index.html", "<h1>Shop</h1>", "<h1>The shop</h1>");
    await until(
      () => get(ports.web),
      (text) => text?.includes("<h1>The shop</h1>") === true,
    );
    expect(await passes("run")).toContain("3 passed");
    git(shop, "commit", "-qam", "A heading");
    expect(git(shop, "status", "--porcelain")).toBe("");
    await passes("down");
  },
);

test(
  "a day: up with the services that one works on, edit, reload, smoke tests, commit",
  { timeout: 10 * minutes },
  async () => {
    clone("daily");
    await passes("up", "-d", "--services", "db,api");
    expect(await phases()).toEqual([
      ["db", "healthy"],
      ["api", "healthy"],
    ]);
    expect(await get(ports.web)).toBeUndefined();
    expect(await get(ports.api, "/health")).toBe('{"status":"ok"}');
    edit("api/src/app.ts", 'status: "ok"', 'status: "well"');
    await until(
      () => get(ports.api, "/health"),
      (text) => text === '{"status":"well"}',
    );
    edit("api/src/app.ts", 'status: "well"', 'status: "ok"');
    edit("api/src/app.ts", "import", "// The API of the shop.\nimport");
    expect(await passes("call", "test", "--source", ".", "--suite", "api", "--tier", "smoke")).toMatch(
      /api +smoke +1 passed/,
    );
    git(shop, "commit", "-qam", "A comment");
    expect(git(shop, "status", "--porcelain")).toBe("");
    await passes("down");
  },
);

test("a new developer: the doctor, up, all green, and the code answers edits", { timeout: 10 * minutes }, async () => {
  clone("developer");
  expect(JSON.parse(await passes("doctor", "--json"))).toMatchObject({ problems: 0 });
  await passes("up", "-d", "--wait");
  expect(await phases()).toEqual(["db", "api", "worker", "web"].map((name) => [name, "healthy"]));
  edit("web/public/index.html", "<h1>Shop</h1>", "<h1>Hello</h1>");
  await until(
    () => get(ports.web),
    (text) => text?.includes("<h1>Hello</h1>") === true,
  );
  await passes("down");
  expect(await get(ports.web)).toBeUndefined();
});

test(
  "before a commit: validate, run, and what is different from the run before",
  { timeout: 10 * minutes },
  async () => {
    clone("before-commit");
    expect(await run("validate")).toMatchObject({ exitCode: 0 });
    const first = await run("run", "--save-baseline", "before");
    expect(first, first.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("3 passed") });
    edit("worker/shop_worker/report.py", "limit: int = 3", "limit: int = 5");
    const second = await run("run");
    expect(second, second.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("1 passed") });
    const diff = await run("diff", "before", "--json");
    expect(diff.exitCode, diff.stderr).toBe(1);
    expect(diff.stdout).toContain("worker/shop_worker/report.py");
    git(shop, "checkout", "-q", ".");
  },
);

test(
  "a maintainer: cycle fast while it works, clean after a breakage, nuclear only after a word",
  { timeout: 15 * minutes },
  async () => {
    clone("maintainer");
    edit("lib/src/cart.ts", "discountRate = 0.1;", "discountRate = 0.2;");
    const broken = await run("cycle", "fast", "--no-up");
    expect(broken, broken.stdout).toMatchObject({ exitCode: 1 });
    git(shop, "checkout", "-q", ".");
    await passes("cycle", "fast", "--no-up");
    // The project's own results are gone: all of it is built and run anew.
    const clean = await passes("cycle", "clean");
    expect(clean).toContain("3 passed");
    expect(await phases()).toEqual(["db", "api", "worker", "web"].map((name) => [name, "healthy"]));
    await passes("down");
    const nuclear = await run("cycle", "nuclear");
    expect(nuclear.exitCode).toBe(2);
    expect(nuclear.stderr).toContain("--yes");
    expect(await passes("cycle", "nuclear", "--yes", "--dry-run")).toContain("fastloop cache clear --level nuke --yes");
  },
);
