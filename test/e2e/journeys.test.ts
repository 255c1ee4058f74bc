/**
 * A day with the example, in the order in which it is lived. What else people set out to do has tests of its own: a base
 * image's versions (pipelines.test.ts), a release onto a cluster (test/deploy), work without a network (offline.test.ts).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";
import { fastloop, type CliResult } from "./cli-process.ts";
import { copyShop } from "./shop-copy.ts";
import { freePorts, get, until } from "./up-project.ts";

const module = packageRoot();
/** Two ports of the example are free with this offset; everything else is its own. */
let env: NodeJS.ProcessEnv;
let folder: string;
let shop: string;
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
  git(origin, "init", "-q", "-b", "main");
  git(origin, "add", ".");
  git(origin, "commit", "-qm", "The shop");
  shop = path.join(folder, "clone");
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
  rmSync(folder, { recursive: true, force: true });
});

const minutes = 60_000;

describe("a new contributor", () => {
  test("clones, asks the doctor, and has the whole shop up and healthy", { timeout: 10 * minutes }, async () => {
    git(folder, "clone", "-q", "origin", "clone");
    const doctor = await run("doctor", "--json");
    expect(JSON.parse(doctor.stdout)).toMatchObject({ problems: 0 });
    const up = await run("up", "-d");
    expect(up, up.stderr).toMatchObject({ exitCode: 0 });
    const status = JSON.parse((await run("status", "--json")).stdout) as {
      services: { name: string; phase: string }[];
    };
    expect(status.services.map(({ name, phase }) => [name, phase])).toEqual(
      ["db", "api", "worker", "web"].map((name) => [name, "healthy"]),
    );
    expect(await get(ports.web)).toContain("<title>Shop</title>");
  });

  test("edits the API, which answers anew, and commits what passed", { timeout: 10 * minutes }, async () => {
    expect(await get(ports.api, "/health")).toBe('{"status":"ok"}');
    edit("api/src/app.ts", 'status: "ok"', 'status: "well"');
    await until(
      () => get(ports.api, "/health"),
      (text) => text === '{"status":"well"}',
    );
    edit("api/src/app.ts", 'status: "well"', 'status: "ok"');
    edit("web/public/index.html", "<h1>Shop</h1>", "<h1>The shop</h1>");
    await until(
      () => get(ports.web),
      (text) => text?.includes("<h1>The shop</h1>") === true,
    );
    const smoke = await run("call", "test", "--source", ".", "--suite", "api", "--tier", "smoke");
    expect(smoke, smoke.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/api +smoke +1 passed/) });
    git(shop, "commit", "-qam", "A heading");
    expect(git(shop, "status", "--porcelain")).toBe("");
    expect(await run("down")).toMatchObject({ exitCode: 0 });
  });
});

test(
  "before a commit: validate, run, and what is different from the run before",
  { timeout: 10 * minutes },
  async () => {
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
  "a maintainer's cycle: fast as a matter of course, clean after a breakage, nuclear after a word",
  { timeout: 10 * minutes },
  async () => {
    edit("lib/src/cart.ts", "discountRate = 0.1;", "discountRate = 0.2;");
    const broken = await run("cycle", "fast");
    expect(broken, broken.stdout).toMatchObject({ exitCode: 1 });
    git(shop, "checkout", "-q", ".");
    const fast = await run("cycle", "fast");
    expect(fast, fast.stderr).toMatchObject({ exitCode: 0 });
    const nuclear = await run("cycle", "nuclear");
    expect(nuclear.exitCode).toBe(2);
    expect(nuclear.stderr).toContain("--yes");
  },
);
