/** Unit tests keep keys and the like in a folder of their own, not in the user's. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";

export function setup(): (() => void) | undefined {
  // Beside tests of an engine (test/e2e/harness.ts) that engine's state is theirs, and not the user's either.
  if (process.env["FASTLOOP_TEST_STATE"] !== undefined) return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-unit-"));
  process.env["XDG_STATE_HOME"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
