import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, test } from "vitest";
import { shellCommand } from "../../../pipelines/src/exec.ts";
import { suitesFailure, withoutPositions } from "../../../pipelines/src/failures.ts";
import { UserError } from "../../../pipelines/src/user-error.ts";
import { tierCommand } from "../../../pipelines/src/suites.ts";
import { resolveSuite } from "../../../pipelines/vendor/config.mjs";

const suite = resolveSuite({ image: "x", tiers: { smoke: { run: ["npm run build", "npm test"] } } });
const tierExec = tierCommand({ name: "unit", tier: "smoke", suite, request: {} });

const failed = (cmd: string[], exitCode: number, stdout = ""): Error =>
  Object.assign(new Error(`exit code: ${exitCode}`), { cmd, exitCode, stdout, stderr: "" });

describe("a failed suite is told in the words of fastloop.yaml", () => {
  it("with its tier and command, without a place in our code, and stays the failure that it is", () => {
    const failure = failed(tierExec, 3, "last line\n");
    const told = suitesFailure([{ suite: "unit", tier: "smoke", failure }]);
    expect(told).toBe(failure);
    expect(told).toMatchObject({
      message: "unit smoke: npm run build; npm test failed with exit code 3",
      exitCode: 3,
      stdout: "last line\n",
      place: "",
      stack: "",
    });
  });

  it("with what was being installed where that failed", () => {
    expect(
      suitesFailure([{ suite: "unit", tier: "smoke", failure: failed(["sh", "-ec", "npm ci"], 1) }]),
    ).toMatchObject({ message: "unit smoke: npm ci failed with exit code 1" });
    const install = shellCommand("npm ci", { after: ["mkdir -p 'node_modules'"] });
    expect(suitesFailure([{ suite: "unit", tier: "smoke", failure: failed(install, 1) }])).toMatchObject({
      message: "unit smoke: npm ci failed with exit code 1",
    });
    expect(suitesFailure([{ suite: "unit", tier: "smoke", failure: failed(["go", "list"], 2) }])).toMatchObject({
      message: "unit smoke: go list failed with exit code 2",
    });
  });

  it("each with its last lines where there are several, in one error with the first exit code", () => {
    const many = Array.from({ length: 30 }, (_, index) => `line ${index}`).join("\n");
    const told = suitesFailure([
      { suite: "lint", tier: "smoke", failure: new Error("fastloop.yaml: no file matches") },
      { suite: "unit", tier: "smoke", failure: failed(tierExec, 5, many) },
      { suite: "web", tier: "fast", failure: failed(["sh", "-ec", "npm ci"], 7, "boom\n") },
    ]) as Error & Record<string, unknown>;
    const blocks = told.message.split("\n\n");
    expect(blocks.map((block) => block.split("\n")[0])).toEqual([
      "lint smoke: fastloop.yaml: no file matches",
      "unit smoke: npm run build; npm test failed with exit code 5",
      "web fast: npm ci failed with exit code 7",
    ]);
    expect(blocks[1]!.split("\n")).toHaveLength(21);
    expect(blocks[1]).toContain("  line 29");
    expect(blocks[2]).toContain("  boom");
    expect(told).toMatchObject({ exitCode: 5, stdout: "", place: "" });
  });

  it("once where the tiers of a suite fail at what they have in common, without pnpm's counter", () => {
    const install = (stdout = ""): Error => failed(["sh", "-ec", "pnpm install"], 1, stdout);
    expect(
      suitesFailure([
        { suite: "unit", tier: "smoke", failure: install() },
        { suite: "unit", tier: "fast", failure: install() },
      ]),
    ).toMatchObject({ message: "unit smoke, fast: pnpm install failed with exit code 1" });
    const several = suitesFailure([
      { suite: "unit", tier: "smoke", failure: install("Progress: resolved 9, reused 0\nERR_PNPM_FETCH_404\n") },
      { suite: "web", tier: "smoke", failure: install("Progress: resolved 9, reused 0\n") },
    ]) as Error;
    expect(several.message.split("\n")).toEqual([
      "unit smoke: pnpm install failed with exit code 1",
      "  ERR_PNPM_FETCH_404",
      "",
      "web smoke: pnpm install failed with exit code 1",
    ]);
  });

  it("and any other error too, without a line of this module", () => {
    const error = new Error("fastloop.yaml: unknown service");
    expect(suitesFailure([{ suite: "unit", tier: "smoke", failure: error }])).toBe(error);
    expect(error).toMatchObject({ message: "unit smoke: fastloop.yaml: unknown service", place: "", stack: "" });
    expect(new UserError("fastloop.yaml: there is no `images.base`")).toMatchObject({ place: "", stack: "" });
  });

  it("as every mistake of the user's that the module finds is", () => {
    const folder = path.resolve(import.meta.dirname, "../../../pipelines/src");
    const bare = readdirSync(folder)
      .filter((name) => !name.startsWith("deploy"))
      .filter((name) => readFileSync(path.join(folder, name), "utf8").includes("new Error("));
    expect(bare).toEqual([]);
  });
});

test("a command that fails in any function of the module is told without a place in our code, a mistake of ours with it", async () => {
  class Functions {
    readonly failure = failed(["make"], 2);
    async command(): Promise<never> {
      return Promise.reject(this.failure);
    }
    async mistake(): Promise<never> {
      return Promise.reject(new TypeError("no"));
    }
    async twice(number: number): Promise<number> {
      return Promise.resolve(2 * number);
    }
  }
  withoutPositions(Functions.prototype);
  const functions = new Functions();
  await expect(functions.command()).rejects.toMatchObject({ place: "", stack: "", cmd: ["make"] });
  const mistake: unknown = await functions.mistake().catch((error: unknown) => error);
  expect(mistake).toMatchObject({ stack: expect.stringContaining("failures.test.ts") as string });
  expect(mistake).not.toHaveProperty("place");
  expect(await functions.twice(2)).toBe(4);
});
