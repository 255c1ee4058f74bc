/**
 * Program of the scan (dist/module-scan.js): reads a request on stdin, and answers with a module or a problem on
 * stdout.
 */
import { readFileSync, writeSync } from "node:fs";
import { answer } from "./answer.ts";
import { saveCompiledCode } from "./typescript.ts";
import type { ScanRequest } from "./types.ts";

const request = JSON.parse(readFileSync(0, "utf8")) as ScanRequest;
writeAll(JSON.stringify(await answer(request)));
saveCompiledCode();

/** Writes synchronously, as a pipe takes only a part at a time and `process.exit` must not cut the answer. */
function writeAll(text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
