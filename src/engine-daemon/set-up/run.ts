/** Runs tools/setup.mjs for the parts that a command finds missing. */
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { UserError } from "../../errors/index.ts";
import { packageRoot } from "../../paths/index.ts";

export interface SetupOptions {
  /** Receives one line about what is being done. */
  onNotice?: (text: string) => void;
  signal?: AbortSignal;
}

/** Runs set-up for these parts; `extra` are further arguments. Throws a `UserError` when it fails. */
export async function runSetup(
  parts: readonly string[],
  { onNotice, signal }: SetupOptions,
  extra: readonly string[] = [],
): Promise<void> {
  const script = path.join(packageRoot(), "tools", "setup.mjs");
  // On a terminal, set-up shows its own progress and may ask questions. All its output goes to stderr, because stdout
  // is for results.
  const terminal = process.stderr.isTTY;
  const child = spawn(process.execPath, [script, "--only", parts.join(","), "--no-packages", ...extra], {
    stdio: terminal ? ["inherit", process.stderr, process.stderr] : ["ignore", "pipe", "pipe"],
    ...(signal === undefined ? {} : { signal }),
  });
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => {
      tail.push(line);
      if (tail.length > 15) tail.shift();
      onNotice?.(line);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw failure(tail.join("\n"), parts);
}

/** Returns the error in set-up's own words. On a terminal, set-up has printed them already. */
function failure(said: string, parts: readonly string[]): UserError {
  const [, message, why, next] =
    /^setup failed: (.+)\n((?: {4}.*\n)*)(?: {2}what to do: (.+))?/m.exec(`${said}\n`) ?? [];
  if (message === undefined)
    return new UserError("engine-unavailable", `setup failed (${parts.join(", ")})`, {
      detail: said,
      hint: "run `fastloop setup` for details",
    });
  return new UserError("engine-unavailable", `setup failed: ${message}`, {
    detail: why?.trimEnd(),
    hint: next ?? "run `fastloop setup` for details",
  });
}

/**
 * Builds the helper that confines function bodies. A function runtime may be started without an engine, so this needs
 * none.
 */
export function setUpBoundary(options: SetupOptions): Promise<void> {
  return runSetup(["boundary"], options);
}
