import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";
import { fastloop } from "./cli-process.ts";
import { copyShop } from "./shop-copy.ts";

const root = packageRoot();
const coldMs = 10 * 60_000;
let folder: string;
let shop: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-shop-"));
  shop = path.join(folder, "shop");
  copyShop(shop);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test(
  "the demo's story comes out as told, and leaves nothing behind",
  async () => {
    const { exitCode, stdout, stderr } = await fastloop(["demo"], { cwd: folder, env: { TMPDIR: folder } });
    expect(stdout + stderr).not.toContain("NOT AS DESCRIBED");
    expect(stdout).toContain("Everything went as described.");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/because lib\/src\/cart\.ts changed/);
    expect(readdirSync(folder)).toEqual(["shop"]);
  },
  coldMs,
);

test(
  "all tiers of all suites pass, and each is counted",
  async () => {
    const { exitCode, stdout, stderr } = await fastloop(
      ["-m", root, "call", "test", "--source", ".", "--tier", "full"],
      { cwd: shop },
    );
    expect(exitCode, stderr).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.replaceAll(/ +/g, " ")),
    ).toEqual([
      "lib smoke 1 passed",
      "lib fast 9 passed",
      "lib full passed",
      "api smoke 1 passed",
      "api fast 5 passed",
      "api full 1 passed",
      "worker smoke 1 passed",
      "worker fast 5 passed",
      "worker full 2 passed",
    ]);
  },
  coldMs,
);

test("an unknown suite is refused with those that there are", async () => {
  const { exitCode, stderr } = await fastloop(["-m", root, "call", "test", "--source", ".", "--suite", "nope"], {
    cwd: shop,
  });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("unknown suite `nope`; fastloop.yaml has: lib, api, worker");
});

test("the example's configuration is valid, and told so without an engine", async () => {
  const { exitCode, stdout } = await fastloop(["-m", root, "validate"], {
    cwd: shop,
    env: { FASTLOOP_ENGINE: "dagger" },
  });
  expect({ exitCode, stdout }).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^fastloop\.yaml is valid/) as string,
  });
});
