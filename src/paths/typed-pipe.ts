/**
 * What the user types on the command line may be a pipe: `<(pass token)` of the shell, `/dev/stdin`, a named pipe that a
 * password manager mounts. What a repository names may not: nothing waits for a pipe that nobody writes to.
 */
import { spawn } from "node:child_process";
import { fstatSync } from "node:fs";
import { isatty } from "node:tty";
import { findExecutable } from "./executables.ts";
import { defaultMaxBytes, UnfitFile } from "./regular-file.ts";
import { statIfThere } from "./stat-if-there.ts";

/** Whether it ends by itself though it is no file: a pipe, a socket or a terminal that this process was given, a named pipe. */
export function isPipe(file: string): boolean {
  const descriptor = descriptorOf(file);
  if (descriptor === undefined) return statIfThere(file)?.isFIFO() === true;
  try {
    const stats = fstatSync(descriptor);
    return stats.isFIFO() || stats.isSocket() || isatty(descriptor);
  } catch {
    return false;
  }
}

/**
 * All that comes out of one, which is gone then. By a process of its own: to open a pipe waits for who writes to it, and what
 * waits inside of Node keeps it from ending.
 */
export function readPipe(file: string, signal?: AbortSignal, maxBytes = defaultMaxBytes): Promise<Buffer> {
  const descriptor = descriptorOf(file);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const child = spawn(
      findExecutable("cat", { PATH: `/usr/bin:/bin:${process.env["PATH"] ?? ""}` }) ?? "cat",
      descriptor === undefined ? ["--", file] : [],
      { stdio: [descriptor ?? "ignore", "pipe", "ignore"], signal },
    );
    child.stdout!.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes <= maxBytes) return;
      child.kill("SIGKILL");
      reject(new UnfitFile(`more than ${maxBytes} bytes come out of it`));
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(Buffer.concat(chunks));
      else reject(new UnfitFile("it could not be read to its end"));
    });
  });
}

/** The number of a file that this process was given open. */
function descriptorOf(file: string): number | undefined {
  if (file === "/dev/stdin") return 0;
  const number = /^\/(?:dev|proc\/self)\/fd\/(\d{1,9})$/.exec(file)?.[1];
  return number === undefined ? undefined : Number(number);
}
