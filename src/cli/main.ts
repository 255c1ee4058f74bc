/**
 * Entry point of the CLI. It answers `--version` without loading anything, so that this costs no more than `node -e 0`.
 */
import process from "node:process";
import type * as program from "./program.ts";
import { Chunks } from "./start/chunks.ts";
import { codeStoreOf } from "./start/code-store.ts";

declare const __FASTLOOP_VERSION__: string;
/** Changes with every chunk of the command line. */
declare const __FASTLOOP_CHUNKS__: string;

const first = process.argv[2];
if (process.argv.length === 3 && (first === "--version" || first === "-V")) {
  process.stdout.write(`fastloop ${__FASTLOOP_VERSION__}\n`);
} else {
  const chunks = new Chunks(import.meta.dirname, codeStoreOf(__FASTLOOP_CHUNKS__));
  process.once("exit", () => chunks.save());
  const { runProgram } = chunks.load("program.cjs") as typeof program;
  void runProgram(process.argv.slice(2), __FASTLOOP_VERSION__);
}
