/** The embedded engine in this process, from its sources, on a buildkitd of its own; state in a folder that goes with it. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { thisMachine } from "../../src/engine/choose-machine.ts";
import { daemonStatus, readJson, request } from "../../src/engine/embedded/control.ts";
import { openLog } from "../../src/engine-daemon/buildkitd/log.ts";
import { runDaemon } from "../../src/engine-daemon/daemon.ts";
import { imagesDir, socketDir, stateDir } from "../../src/engine-daemon/set-up/paths.ts";

/** Set-up has built what the engine needs, and this user may run it. */
export const canRunEngine =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  thisMachine().builtBuildkitd() !== undefined &&
  existsSync(path.join(imagesDir(), "decision.json"));
if (!canRunEngine) console.warn("skipped: set-up has not built the engine here");

/** What would lead the commands of a test to another engine. */
const foreign = ["DAGGER_SESSION_PORT", "DAGGER_SESSION_TOKEN", "BUILDKIT_HOST", "_EXPERIMENTAL_DAGGER_RUNNER_HOST"];
const events = ["SIGTERM", "SIGINT", "SIGHUP", "unhandledRejection"] as const;

export interface OwnEngine {
  state: string;
  /** Address of its buildkitd. */
  buildkit: string;
  stop(): Promise<void>;
}

/** Commands in this process use it from now on. */
export async function startOwnEngine(): Promise<OwnEngine> {
  Object.assign(globalThis, { __FASTLOOP_VERSION__: "0.0.0" });
  for (const name of foreign) delete process.env[name];
  const home = mkdtempSync(path.join(tmpdir(), "fastloop-own-"));
  process.env["XDG_STATE_HOME"] = home;
  process.env["FASTLOOP_ENGINE"] = "embedded";
  const state = stateDir(undefined);
  for (const folder of [state, socketDir(state)]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const before = new Map(events.map((name) => [name, process.rawListeners(name)]));
  const source = { buildkitd: thisMachine().builtBuildkitd()! };
  const running = runDaemon({ state, log: openLog(state), idleTimeoutMs: 600_000, source });
  let failed: unknown;
  running.catch((error: unknown) => (failed = error));
  for (;;) {
    if (failed !== undefined) throw failed;
    const status = await daemonStatus(state);
    if (status === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    else return { state, buildkit: status.buildkit.address, stop: () => stop() };
  }

  async function stop(): Promise<void> {
    await readJson(await request(state, "POST", "/stop", { force: true }));
    await running;
    for (const name of events) {
      for (const listener of process.rawListeners(name))
        if (before.get(name)?.includes(listener) !== true) process.removeListener(name, listener as () => void);
    }
    rmSync(home, { recursive: true, force: true });
  }
}
