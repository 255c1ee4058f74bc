/** The built CLI as users run it: a process with its own streams and exit code. */
import { spawn } from "node:child_process";
import path from "node:path";
import { packageRoot } from "../../src/paths/index.ts";

export interface CliResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
}

/** Absolute path of `dist/fastloop.js`. */
export const cliFile = process.env.FASTLOOP_TEST_CLI ?? path.join(packageRoot(), "dist", "fastloop.js");

/** Runs `fastloop ARGS` to its end. */
export function fastloop(args: readonly string[], { cwd, env = {} }: CliOptions): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cliFile, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}
