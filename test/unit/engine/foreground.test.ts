import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runDaggerCall, type EngineChoice } from "../../../src/engine/index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-foreground-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Stands in for the dagger CLI. */
function standIn(script: string): Extract<EngineChoice, { kind: "dagger-cli" }> {
  const command = path.join(folder, "dagger");
  writeFileSync(command, `#!/bin/sh\n${script}\n`);
  chmodSync(command, 0o755);
  return { kind: "dagger-cli", command, reason: "a test" };
}

const run = (
  choice: EngineChoice,
  signal = new AbortController().signal,
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> =>
  runDaggerCall(choice, { moduleRoot: "/the/module", words: ["shell", "--who", "a b"], cwd: folder, env, signal });

describe("dagger call in the foreground", () => {
  it("gets the module and the words, and its exit code is the call's", async () => {
    expect(await run(standIn('printf "%s\\n" "$PWD" "$@" > seen; exit 7'))).toBe(7);
    expect(readFileSync(path.join(folder, "seen"), "utf8")).toBe(
      `${folder}\ncall\n-m\n/the/module\nshell\n--who\na b\n`,
    );
  });

  it.each([
    [
      "that ends at SIGTERM",
      "trap 'echo term > termed; exit 0' TERM; echo $$ > pid; while :; do sleep 0.05; done",
      true,
    ],
    ["that ignores SIGTERM", "trap '' TERM; echo $$ > pid; while :; do sleep 0.05; done", false],
  ])("is ended with the command, one %s as well", async (_title, script, gentle) => {
    const controller = new AbortController();
    const running = run(standIn(script), controller.signal);
    running.catch(() => undefined);
    await expect.poll(() => existsSync(path.join(folder, "pid"))).toBe(true);
    controller.abort(new Error("interrupted"));
    await expect(running).rejects.toThrow("interrupted");
    expect(existsSync(path.join(folder, "termed"))).toBe(gentle);
    const pid = Number(readFileSync(path.join(folder, "pid"), "utf8"));
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("is looked for where a session is open without a CLI, and refused where there is none", async () => {
    const session = { kind: "dagger-session", port: 1, token: "t", reason: "a session is open" } as const;
    standIn("exit 5");
    expect(await run(session, undefined, { PATH: `${folder}:/usr/bin:/bin` })).toBe(5);
    await expect(run(session, undefined, { PATH: "/nowhere" })).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining("no") as string,
    });
    const embedded = { kind: "buildkitd", command: undefined, reason: "nothing else is here" } as const;
    await expect(run(embedded)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining("a Dagger engine") as string,
    });
  });
});
