import { existsSync } from "node:fs";
import path from "node:path";
import type { Command } from "./process.ts";

/** The bundle beside this one: what is measured is what users start. */
export const cliFile = path.join(import.meta.dirname, "fastloop.js");

export function cliCommand(cwd: string, ...args: string[]): Command {
  if (!existsSync(cliFile)) throw new Error(`${cliFile} is missing: run \`node tools/build.mjs\` first`);
  return { file: process.execPath, args: [cliFile, ...args], cwd, env: { NO_COLOR: "1" } };
}
