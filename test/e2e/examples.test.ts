// The example repositories as their READMEs tell them: a Rust workspace and a Python video tool.
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../src/paths/index.ts";
import { fastloop } from "./cli-process.ts";

const root = packageRoot();
const coldMs = 10 * 60_000;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-examples-"));
  for (const name of ["sindri-like", "montage-like"]) {
    const own = (file: string): boolean => ![".fastloop", "target", "__pycache__"].includes(path.basename(file));
    cpSync(path.join(root, "examples", name), path.join(folder, name), { recursive: true, filter: own });
    mkdirSync(path.join(folder, name, ".git"));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function answer(example: string, ...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await fastloop(["-m", root, "call", ...words], {
    cwd: path.join(folder, example),
  });
  expect(exitCode, stderr.slice(-4000)).toBe(0);
  return stdout;
}

/** Layer and verdict, without the columns and the rate. */
const explained = async (example: string): Promise<string[]> =>
  (await answer(example, "explain-dev", "--source", "."))
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ +/).slice(0, 2).join(" "));

describe("sindri-like: a Rust workspace, base and dev split", () => {
  test(
    "its tiers pass, and a change of one integration test runs that test alone",
    async () => {
      const report = await answer("sindri-like", "test", "--source", ".", "--tier", "fast");
      expect(report).toMatch(/forge {2}fast {3}4 passed\n/);
      const selected = await answer(
        "sindri-like",
        "test",
        "--source",
        ".",
        "--tier",
        "fast",
        "--changed",
        "crates/cli/tests/program.rs",
      );
      expect(selected).toMatch(/forge {2}fast {3}1 passed \(1 of 2 packages\)/);
    },
    coldMs,
  );

  test(
    "an edit of a source compiles the workspace again, and no dependency",
    async () => {
      expect(await explained("sindri-like")).toEqual(["dependencies miss", "build miss", "sources miss"]);
      appendFileSync(path.join(folder, "sindri-like/crates/cli/src/main.rs"), "// edited\n");
      expect(await explained("sindri-like")).toEqual(["dependencies hit", "build miss", "sources miss"]);
      const words = ["with-exec", "--args", "/opt/target/debug/forge,rust,^1", "stdout"];
      expect(await answer("sindri-like", "build-dev", "--source", ".", ...words)).toBe("rust 1.92.0\n");
    },
    coldMs,
  );
});

describe("montage-like: Python with ffmpeg, seven layers", () => {
  test(
    "all its tiers pass, the one that runs ffmpeg included",
    async () => {
      const report = await answer("montage-like", "test", "--source", ".", "--tier", "full");
      expect(
        report
          .trimEnd()
          .split("\n")
          .map((line) => line.replaceAll(/ +/g, " ")),
      ).toEqual(["montage smoke passed", "montage fast 3 passed", "montage full 1 passed"]);
    },
    coldMs,
  );

  test(
    "an edit of a source leaves every earlier layer cached; one of the metadata, the dependencies",
    async () => {
      await explained("montage-like");
      appendFileSync(path.join(folder, "montage-like/montage/plan.py"), "# edited\n");
      expect(await explained("montage-like")).toEqual(["python-dependencies hit", "metadata hit", "sources miss"]);
      appendFileSync(path.join(folder, "montage-like/pyproject.toml"), "# edited\n");
      expect(await explained("montage-like")).toEqual(["python-dependencies hit", "metadata miss", "sources miss"]);
    },
    coldMs,
  );

  test(
    "production has the packages and the environment of what was developed on",
    async () => {
      expect(await answer("montage-like", "parity", "--source", ".")).toBe("dev and production agree\n");
    },
    coldMs,
  );
});
