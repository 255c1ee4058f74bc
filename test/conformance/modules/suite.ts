import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { once } from "node:events";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cliFile, type CliResult } from "../../e2e/cli-process.ts";
import { conformModule, moduleCases, type ModuleCase, type ModuleSurroundings } from "./cases.ts";

/** A program that calls functions: what stands before the chain's words. */
export interface Caller {
  file: string;
  args: string[];
  env?: Record<string, string>;
  /** `dagger call` itself words its errors differently. */
  isDagger?: boolean;
}

export const fastloopCaller = (args: readonly string[], env: Record<string, string> = {}): Caller => ({
  file: process.execPath,
  args: [cliFile, "call", "--silent", ...args],
  env,
});

/** All cases of the module, each a process of its own as users start it. */
export function moduleSuite(caller: () => Caller, firstCallMs = 30_000): void {
  let project = "";
  const servers: net.Server[] = [];
  const around: ModuleSurroundings = { tcpPort: 0, socket: "" };

  beforeAll(async () => {
    project = copyModule();
    around.socket = path.join(project, "..", `${path.basename(project)}.sock`);
    const greeter = net.createServer((socket) => socket.end("hi\n")).listen(0, "127.0.0.1");
    const listener = net.createServer().listen(around.socket);
    servers.push(greeter, listener);
    await Promise.all(servers.map((server) => once(server, "listening")));
    around.tcpPort = (greeter.address() as net.AddressInfo).port;
    // Whatever an engine does once for a module is no case's time.
    await run(caller(), ["greet"], project, {});
  }, firstCallMs);

  afterAll(() => {
    for (const server of servers) server.close();
    rmSync(project, { recursive: true, force: true });
  });

  for (const moduleCase of moduleCases) {
    it(moduleCase.name, { timeout: 300_000 }, () => check(moduleCase, caller(), project, around));
  }

  it("a secret's new value is a new secret, also in the next session", { timeout: 300_000 }, async () => {
    const lengthOf = async (value: string): Promise<string> =>
      (await run(caller(), ["length-of", "--secret", "env://CONFORM_SECRET"], project, { CONFORM_SECRET: value }))
        .stdout;
    expect(await lengthOf("four")).toBe("4");
    expect(await lengthOf("sevens!")).toBe("7");
  });

  it("an edit of a contextual file and one of the module are seen by the next call", { timeout: 300_000 }, async () => {
    writeFileSync(path.join(project, "site/a.txt"), "edited");
    expect((await run(caller(), ["context"], project, {})).stdout).toBe("a.txt b.log\nnote.txt\nedited\n");
    const source = path.join(project, "ci/src/index.ts");
    writeFileSync(source, readFileSync(source, "utf8").replace('const GREETING = "hey"', 'const GREETING = "ahoy"'));
    expect((await run(caller(), ["greet"], project, {})).stdout).toBe("ahoy, world");
  });
}

/** A copy of the module in a repository of its own. */
export function copyModule(): string {
  const project = realpathSync(mkdtempSync(path.join(os.tmpdir(), "conform-")));
  cpSync(conformModule, project, { recursive: true });
  mkdirSync(path.join(project, ".git"));
  return project;
}

async function check(
  moduleCase: ModuleCase,
  caller: Caller,
  project: string,
  around: ModuleSurroundings,
): Promise<void> {
  const words = typeof moduleCase.words === "function" ? moduleCase.words(around) : moduleCase.words;
  const result = await run(caller, words, project, moduleCase.env ?? {});
  expect(result, result.stderr.slice(-2000)).toMatchObject({ exitCode: moduleCase.exitCode ?? 0 });
  const { stdout, stderr, twice } = moduleCase;
  if (typeof stdout === "string") expect(result.stdout).toBe(stdout);
  else if (stdout !== undefined) expect(result.stdout).toMatch(stdout);
  if (stderr !== undefined && caller.isDagger !== true) expect(result.stderr).toMatch(stderr);
  if (twice === undefined) return;
  const again = await run(caller, words, project, moduleCase.env ?? {});
  expect(again.stdout).not.toBe("");
  expect(again.stdout === result.stdout ? "same" : "different").toBe(twice);
}

/** Less than a case's own: what hangs must not outlive the test. */
const processTimeoutMs = 110_000;

export function run(
  { file, args, env }: Caller,
  words: readonly string[],
  cwd: string,
  more: Record<string, string>,
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, ...env, ...more }, timeout: processTimeoutMs };
    const child = spawn(file, [...args, ...words], { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}
