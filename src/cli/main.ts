#!/usr/bin/env node
/** The door of the CLI. Answers `--version` by itself, so that it costs what `node -e 0` costs. */
import process from "node:process";

declare const __FASTLOOP_VERSION__: string;

const first = process.argv[2];
if (process.argv.length === 3 && (first === "--version" || first === "-V")) {
  process.stdout.write(`fastloop ${__FASTLOOP_VERSION__}\n`);
} else {
  const { runProgram } = await import("./program.ts");
  await runProgram(process.argv.slice(2), __FASTLOOP_VERSION__);
}
