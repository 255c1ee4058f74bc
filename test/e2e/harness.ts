/**
 * One private engine for a whole test run: state of its own, tools and base images from the user's cache. Tests and the
 * CLI processes that they start find it by the environment. Nothing of it is left at the end.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describeEngineChoice, embeddedEngine } from "../../src/engine/index.ts";
import { shimDir } from "../../src/engine-daemon/set-up/paths.ts";
import { packageRoot } from "../../src/paths/index.ts";

/** Marks that another project of this run has started the engine. */
const marker = "FASTLOOP_TEST_STATE";
/** What names a Dagger engine: hidden from all tests but conformance, which finds it in `FASTLOOP_TEST_DAGGER` as JSON. */
const dagger = [
  "DAGGER_SESSION_PORT",
  "DAGGER_SESSION_TOKEN",
  "_EXPERIMENTAL_DAGGER_RUNNER_HOST",
  "_EXPERIMENTAL_DAGGER_CLI_BIN",
];
/** What would lead tests to another engine than theirs. */
const foreign = [...dagger, "BUILDKIT_HOST"];

/** As `--engine auto` finds one; not what the SDK would have to download first. What is named and does not answer fails. */
async function daggerEngineIsThere(): Promise<boolean> {
  const { choice } = await describeEngineChoice({ engine: "auto" });
  return choice.kind === "dagger-session" || choice.kind === "dagger-cli";
}

export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[marker] !== undefined) return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-test-"));
  if (await daggerEngineIsThere()) {
    const named = dagger.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
    process.env["FASTLOOP_TEST_DAGGER"] = JSON.stringify(Object.fromEntries(named));
  }
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
