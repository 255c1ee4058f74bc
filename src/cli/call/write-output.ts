/** Writes results that can't be exported as files to `-o PATH`, as text. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { canExport, type ParsedCall } from "../../call/index.ts";
import { ExitCode, UserError } from "../../errors/index.ts";
import type { ModuleInfo, ReturnedValue } from "../../module/index.ts";
import { makeFolders } from "../../tree/index.ts";
import type { CliContext } from "../context.ts";
import { renderResult } from "./render-result.ts";

/**
 * Returns the path that was written; undefined when the result is to be printed. Throws when the file can't be written.
 */
export function writeOutput(
  call: ParsedCall,
  value: ReturnedValue,
  module: ModuleInfo,
  context: CliContext,
): string | undefined {
  if (call.output === undefined) return undefined;
  if (call.returns.kind === "object" && canExport(call.returns.name))
    return typeof value === "string" ? value : call.output;
  const file = path.resolve(context.cwd, call.output);
  const text = renderResult(value, call.returns, call.json, module);
  makeFolders(path.dirname(file));
  try {
    writeFileSync(file, text);
  } catch (cause) {
    // The folder exists but does not accept a file. Other errors of the system are explained by system-error.ts.
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    throw new UserError("usage", "it can't be made (open: ENOENT)", {
      place: `-o ${call.output}`,
      cause,
      exitCode: ExitCode.failed,
    });
  }
  return file;
}
