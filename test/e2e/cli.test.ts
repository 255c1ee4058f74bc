import { execFile, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cliFile, fastloop } from "./cli-process.ts";

let empty: string;
let project: string;

beforeAll(() => {
  empty = mkdtempSync(path.join(tmpdir(), "fastloop-empty-"));
  project = mkdtempSync(path.join(tmpdir(), "fastloop-cli-"));
  mkdirSync(path.join(project, "src"));
  writeFileSync(path.join(project, "dagger.json"), '{"name":"it","engineVersion":"v0.21.4","sdk":"typescript"}');
  writeFileSync(
    path.join(project, "src/index.ts"),
    'import { check, func, object } from "@dagger.io/dagger"\n@object()\nexport class It {\n  /** Does it. */\n  @func()\n  @check()\n  doIt(level = "high"): string {\n    return level\n  }\n}\n',
  );
});
afterAll(() => {
  rmSync(empty, { recursive: true });
  rmSync(project, { recursive: true });
});

// What does not need a process of its own is in test/unit/cli.
describe("the command line", () => {
  it("answers --version with nothing loaded but itself", async () => {
    expect(await fastloop(["--version"], { cwd: empty })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^fastloop \d+\.\d+\.\d+\n$/),
      stderr: "",
    });
  });

  it.runIf(process.platform === "linux")(
    "tells that no engine answers before it has built anything",
    { timeout: 60_000 },
    async () => {
      const folder = mkdtempSync(path.join(tmpdir(), "fastloop-no-engine-"));
      // A Go that builds for longer than this test waits.
      const go = '#!/bin/sh\ncase "$*" in *GOVERSION*) printf "go1.99.0\\nlocal\\n";; *) exec sleep 300;; esac\n';
      mkdirSync(path.join(folder, "bin"));
      writeFileSync(path.join(folder, "bin/go"), go, { mode: 0o755 });
      const env = {
        PATH: `${path.join(folder, "bin")}:${process.env["PATH"]}`,
        XDG_CACHE_HOME: path.join(folder, "cache"),
        XDG_STATE_HOME: path.join(folder, "state"),
        BUILDKIT_HOST: `unix://${folder}/none.sock`,
        FASTLOOP_CONFINE: "",
      };
      const result = await fastloop(["--engine", "embedded", "call", "do-it"], { cwd: project, env });
      rmSync(folder, { recursive: true, force: true });
      expect(result).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("no BuildKit daemon answers") });
    },
  );

  it.skipIf(process.getuid?.() !== 0)(
    "answers questions about a project that cannot be written to, and says once that it remembers nothing",
    async () => {
      const folder = mkdtempSync(path.join(tmpdir(), "fastloop-readonly-"));
      cpSync(project, folder, { recursive: true, filter: (file) => !file.includes(".fastloop") });
      writeFileSync(
        path.join(folder, "fastloop.yaml"),
        "version: 1\nwatch: { targets: { it: { call: do-it, inputs: [src/], environment: [HOME] } } }\n",
      );
      const readOnly = (...words: string[]): Promise<string> =>
        new Promise((resolve, reject) => {
          const script =
            'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$1" && shift && exec "$@" 2>&1';
          execFile(
            "unshare",
            ["-m", "sh", "-c", script, "sh", folder, process.execPath, cliFile, ...words],
            (error, stdout) => (error === null ? resolve(stdout) : reject(new Error(stdout))),
          );
        });
      for (const words of [["plan"], ["why", "it"], ["affected"], ["graph"], ["watches"]]) {
        const said = await readOnly(...words);
        expect(said).toMatch(/\bit\b/);
        expect(said.match(/nothing can be written to .*\.fastloop \(EROFS\)/g)?.length ?? 0).toBeLessThanOrEqual(1);
      }
      expect(await readOnly("plan")).toContain("nothing can be written to");
      expect(existsSync(path.join(folder, ".fastloop"))).toBe(false);
      rmSync(folder, { recursive: true });
    },
  );

  it("is content with a reader that goes away", async () => {
    const child = spawn(
      "sh",
      ["-c", `"${process.execPath}" "${cliFile}" functions --json | head -c 1; echo " \${PIPESTATUS:-}"`],
      { cwd: project },
    );
    let output = "";
    child.stdout.on("data", (text: Buffer) => (output += text.toString()));
    child.stderr.on("data", (text: Buffer) => (output += text.toString()));
    await new Promise((resolve) => child.on("close", resolve));
    expect(output.trim()).toBe("{");
  });
});
