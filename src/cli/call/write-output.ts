/** `-o PATH` for results that are no files: the text goes into a file. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import type { ModuleInfo, ReturnedValue } from "../../module/index.ts";
import type { CliContext } from "../context.ts";
import { renderResult } from "./render-result.ts";
import { canExport } from "./run-call.ts";
import type { ParsedCall } from "./types.ts";

/** The path that was written; undefined when the result is to be printed. */
export function writeOutput(call: ParsedCall, value: ReturnedValue, module: ModuleInfo, context: CliContext): string | undefined {
  if (call.output === undefined) return undefined;
  if (call.returns.kind === "object" && canExport(call.returns.name)) return typeof value === "string" ? value : call.output;
  const file = path.resolve(context.cwd, call.output);
  const text = renderResult(value, call.returns, call.json, module);
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch (cause) {
    throw new UserError("usage", `-o ${call.output}: can't be written (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
  return file;
}
