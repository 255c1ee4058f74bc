/**
 * One private engine for a whole test run: state of its own, tools and base images from the user's cache. Tests and the
 * CLI processes that they start find it by the environment. Nothing of it is left at the end.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { embeddedEngine } from "../../src/engine/index.ts";
import { packageRoot, shimDir } from "../../src/engine/embedded/daemon/paths.ts";

/** Marks that another project of this run has started the engine. */
const marker = "FASTLOOP_TEST_STATE";
/** What would lead tests to another engine than theirs. */
const foreign = ["DAGGER_SESSION_PORT", "DAGGER_SESSION_TOKEN", "_EXPERIMENTAL_DAGGER_RUNNER_HOST", "BUILDKIT_HOST"];

export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[marker] !== undefined) return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-test-"));
  for (const name of foreign) delete process.env[name];
  process.env[marker] = folder;
  process.env["XDG_STATE_HOME"] = folder;
  process.env["FASTLOOP_ENGINE"] = "embedded";
  const engine = await embeddedEngine();
  const status = await engine.start({ idle: "30m", onNotice: (text) => console.error(text) });
  process.env["FASTLOOP_TEST_BUILDKIT"] = status.buildkit.address;
  process.env["FASTLOOP_TEST_SHIM"] = path.dirname(shimDir(packageRoot(), "amd64"));
  if (status.registry !== undefined) process.env["FASTLOOP_TEST_MIRROR"] = status.registry.address;
  return async () => {
    await engine.stop(true);
    rmSync(folder, { recursive: true, force: true });
  };
}
