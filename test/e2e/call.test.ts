import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cliFile, fastloop } from "./cli-process.ts";

const source = `
import { argument, Container, dag, Directory, func, object } from "@dagger.io/dagger"

const IMAGE = "debian:bookworm-slim"

@object()
export class Calls {
  /** A container with the project in it. */
  @func()
  base(@argument({ defaultPath: "/", ignore: ["**", "!*.txt"] }) source: Directory): Container {
    return dag.container().from(IMAGE).withMountedDirectory("/src", source).withWorkdir("/src")
  }

  @func()
  hang(): Promise<string> {
    return dag.container().from(IMAGE).withExec(["sh", "-c", "echo hanging; sleep 1000.5"]).stdout()
  }
}
`;

let project: string;

beforeAll(() => {
  project = mkdtempSync(path.join(tmpdir(), "fastloop-call-"));
  mkdirSync(path.join(project, ".git"));
  mkdirSync(path.join(project, "ci/src"), { recursive: true });
  writeFileSync(
    path.join(project, "dagger.json"),
    '{"name":"calls","engineVersion":"v0.21.4","sdk":"typescript","source":"ci"}',
  );
  writeFileSync(path.join(project, "ci/src/index.ts"), source);
  writeFileSync(path.join(project, "a.txt"), "first\nsecond\n");
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

// The rest is tested in this process: test/unit/cli/call.test.ts.
it("runs a body in the function runtime and its containers in the engine; result on stdout, progress on stderr", async () => {
  const words = ["call", "base", "-v", "with-exec", "--args=sh,-c,cat a.txt; echo progress >&2", "stdout"];
  const result = await fastloop(words, { cwd: project });
  expect(result).toMatchObject({ exitCode: 0, stdout: "first\nsecond\n" });
  expect(result.stderr).toContain("exec sh -c");
});

describe("an interrupted call", () => {
  const alive = (text: string): string[] =>
    readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && commandLine(entry).includes(text));

  it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("by %s leaves no process and no container", async (signal) => {
    const child = spawn(process.execPath, [cliFile, "call", "-v", "hang"], {
      cwd: project,
      stdio: ["ignore", "ignore", "pipe"],
    });
    await new Promise<void>((resolve) => {
      let seen = "";
      child.stderr.on("data", (text: Buffer) => {
        seen += text.toString();
        if (/(?:^|\| )hanging$/m.test(seen)) resolve();
      });
    });
    const hosts = alive("function-runtime.js").filter((pid) => parentOf(pid) === String(child.pid));
    expect(hosts).toHaveLength(1);
    child.kill(signal);
    const [exitCode] = (await once(child, "close")) as [number | null];
    expect(exitCode).toBe(signal === "SIGKILL" ? null : 130);
    await expect
      .poll(() => [...hosts.filter((pid) => existsSync(`/proc/${pid}`)), ...alive("sleep\u00001000.5")], {
        timeout: 5000,
      })
      .toEqual([]);
  });
});

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function parentOf(pid: string): string | undefined {
  try {
    return /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}
