/** Runs a scan in a child process, so that the compiler's 150 MB are freed with it. */
import { spawn } from "node:child_process";
import { UserError } from "../errors/index.ts";
import { distFile } from "../paths/index.ts";
import type { ScanAnswer, ScannedModule, ScanRequest } from "./scan/types.ts";

/** A scan takes half a second; one that takes this long hangs. */
const timeoutMs = 60_000;

/** A large module takes 150 MB. */
const mostMegabytes = 2048;

/**
 * Explains a scan that ran out of time or memory because of the sources; undefined for other failures, which are bugs.
 */
function failureOf(signal: NodeJS.Signals | null, errors: string): UserError | undefined {
  const why =
    signal === "SIGKILL"
      ? `${timeoutMs / 1000} s`
      : errors.includes("out of memory")
        ? `${mostMegabytes} MB`
        : undefined;
  if (why === undefined) return undefined;
  return new UserError("module", `the compiler can't read the module's sources in ${why}`, {
    hint: "look for a very deeply nested type or expression",
  });
}

/** Reads a module's sources. Throws a `UserError` if they do not form a module. */
export async function scanSources(request: ScanRequest): Promise<ScannedModule> {
  const answer = await ask(request);
  if ("module" in answer) return answer.module;
  const { message, ...options } = answer.problem;
  throw new UserError("module", message, options);
}

function ask(request: ScanRequest): Promise<ScanAnswer> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`--max-old-space-size=${mostMegabytes}`, distFile("module-scan.js")], {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    child.on("error", reject);
    child.stdin.on("error", () => {}); // The close handler reports a child that dies early.
    child.stdin.end(JSON.stringify(request));
    child.on("close", (code, signal) => {
      try {
        resolve(JSON.parse(output) as ScanAnswer);
      } catch (cause) {
        reject(
          failureOf(signal, errors) ??
            new Error(`the module scan ended with ${signal ?? code} and no answer\n${errors}`, { cause }),
        );
      }
    });
  });
}
