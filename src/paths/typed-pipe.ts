/**
 * Pipes that the user names on the command line: `<(pass token)` of the shell, `/dev/stdin`, a named pipe of a password
 * manager. A repository may not name one, as nothing must block on a pipe without a writer.
 */
import { spawn } from "node:child_process";
import { fstatSync } from "node:fs";
import { isatty } from "node:tty";
import { findExecutable } from "./executables.ts";
import { defaultMaxBytes, UnfitFile } from "./reads/regular-file.ts";
import { statIfThere } from "./reads/if-there.ts";

/**
 * Reports whether a non-file ends by itself: a pipe, socket or terminal that this process was given, or a named pipe.
 */
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
 * Reads a pipe to its end; its content is then gone. A child process reads it, because opening a pipe blocks until
 * there is a writer, and a blocked read inside Node would keep the process from ending. Throws an `UnfitFile` if the
 * pipe yields more than `maxBytes` or fails.
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

/** Returns the number of a descriptor that this process was given. */
function descriptorOf(file: string): number | undefined {
  if (file === "/dev/stdin") return 0;
  const number = /^\/(?:dev|proc\/self)\/fd\/(\d{1,9})$/.exec(file)?.[1];
  return number === undefined ? undefined : Number(number);
}
