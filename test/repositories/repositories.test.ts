// A stranger's repository, from `init` to green, by an edit to red, and repaired to green: nothing in between is written by hand.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { fastloop, type CliResult } from "../e2e/cli-process.ts";
import { shapes, type Shape } from "./shapes.ts";

const folder = mkdtempSync(path.join(tmpdir(), "fastloop-repositories-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function repository({ files, lock }: Shape, name: string): string {
  const root = path.join(folder, name);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  if (lock === "npm")
    execFileSync("npm", ["install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: root,
      stdio: "ignore",
    });
  execFileSync("git", ["init", "-q"], { cwd: root });
  execFileSync("git", ["add", "-A"], { cwd: root });
  return root;
}

const told = ({ exitCode, stdout, stderr }: CliResult): string => `exit code ${exitCode}\n${stdout}${stderr}`;

describe.each(shapes)("$name", (shape) => {
  const root = repository(shape, `r${shapes.indexOf(shape)}`);
  const targets = async (): Promise<{ name: string; verdict: string }[]> =>
    (
      JSON.parse((await fastloop(["plan", "--json"], { cwd: root })).stdout) as {
        functions: { name: string; verdict: string }[];
      }
    ).functions;
  const namesOf = (verdict: string, all: { name: string; verdict: string }[]): string[] =>
    all.filter((each) => each.verdict === verdict).map(({ name }) => name);

  test("init finds its parts, and what it writes is valid", async () => {
    const init = await fastloop(["init"], { cwd: root });
    expect(init.exitCode, told(init)).toBe(0);
    const valid = await fastloop(["validate"], { cwd: root });
    expect(valid.exitCode, told(valid)).toBe(0);
    expect((await targets()).map(({ name }) => name).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(shape.targets);
  });

  test.skipIf(shape.isSlow === true && !process.env["FASTLOOP_ALL_SHAPES"])(
    "green, red by an edit, green again, and nothing of ours for git",
    async () => {
      const green = await fastloop(["run"], { cwd: root });
      expect(green.exitCode, told(green)).toBe(0);
      if (shape.tests !== undefined) expect(green.stdout).toContain(`  ${shape.tests}  `);
      const { file, from, to } = shape.breaks;
      const whole = readFileSync(path.join(root, file), "utf8");
      expect(whole).toContain(from);
      writeFileSync(path.join(root, file), whole.replace(from, to));
      const red = await fastloop(["run"], { cwd: root });
      expect(red.exitCode, told(red)).toBe(1);
      expect(namesOf("affected", await targets())).toEqual(shape.fails);
      writeFileSync(path.join(root, file), whole);
      const repaired = await fastloop(["run"], { cwd: root });
      expect(repaired.exitCode, told(repaired)).toBe(0);
      expect(execFileSync("git", ["ls-files", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })).toBe(
        "fastloop.yaml\n",
      );
    },
    20 * 60_000,
  );
});
