/**
 * The engine daemon (dist/engine.js). Started by the CLI, never by hand:
 *
 *   engine.js --state DIR --idle-ms N (--buildkitd PATH | --buildkit-host ADDRESS)
 */
import { mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { UserError } from "../errors/index.ts";
import { runDaemon } from "./daemon.ts";
import { takeLock } from "./lock.ts";
import { openLog, type Log } from "./buildkitd/log.ts";
import { socketDir, foreignFolder } from "./set-up/paths.ts";
import { DaemonExit, failureFile, type StartFailure } from "./control/protocol.ts";

const { values } = parseArgs({
  options: {
    state: { type: "string" },
    "idle-ms": { type: "string" },
    buildkitd: { type: "string" },
    "buildkit-host": { type: "string" },
  },
});
process.title = "fastloop-engine";
process.umask(0o077);
await main(values.state ?? "");

async function main(state: string): Promise<void> {
  for (const folder of [state, socketDir(state)]) makePrivate(folder);
  const log = openLog(state);
  // Node would print it as it is.
  process.on("uncaughtException", (error) => giveUp(error, state, log));
  try {
    const release = await takeLock(state);
    if (release === undefined) process.exit(DaemonExit.lockHeld);
    // Who had the lock before may have taken it away.
    makePrivate(socketDir(state));
    rmSync(path.join(state, failureFile), { force: true });
    const address = values["buildkit-host"];
    await runDaemon({
      state,
      log,
      idleTimeoutMs: Number(values["idle-ms"]),
      source: address === undefined ? { buildkitd: values.buildkitd ?? "buildkitd" } : { address },
    });
    process.exit(DaemonExit.stopped);
  } catch (error) {
    giveUp(error, state, log);
  }
}

function giveUp(error: unknown, state: string, log: Log): never {
  log.write("engine", error instanceof Error ? (error.stack ?? error.message) : String(error));
  try {
    writeFileSync(path.join(state, failureFile), log.masked(JSON.stringify(failure(error))), { mode: 0o600 });
  } catch {
    // A full disk, which the command sees for itself.
  }
  process.exit(DaemonExit.failed);
}

function failure(error: unknown): StartFailure {
  if (!(error instanceof UserError)) {
    // What the machine refuses is no riddle: the log's tail, with its stack, would only hide it.
    const detail = error instanceof Error && "syscall" in error ? { detail: "" } : {};
    return { message: error instanceof Error ? error.message : String(error), ...detail };
  }
  return {
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    // What has a way out needs no log.
    ...(error.detail === undefined && error.hint === undefined ? {} : { detail: error.detail ?? "" }),
  };
}

/** Sockets and logs in the folder are for this user alone. */
function makePrivate(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A user may have put the state elsewhere by a link; in the folder for temporary files a link is anybody's.
  const problem = foreignFolder(folder === values.state ? realpathSync(folder) : folder);
  if (problem === undefined) return;
  process.stderr.write(`${problem}; remove it or chmod it to 700\n`);
  process.exit(DaemonExit.failed);
}
