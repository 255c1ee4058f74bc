/**
 * The engine daemon (dist/engine.js). The CLI starts it; users never do:
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
  // Node would print the error unmasked.
  process.on("uncaughtException", (error) => giveUp(error, state, log));
  try {
    const release = await takeLock(state);
    if (release === undefined) process.exit(DaemonExit.lockHeld);
    // The previous holder of the lock may have removed the folder.
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
    // The disk is full, which the command will find out itself.
  }
  process.exit(DaemonExit.failed);
}

function failure(error: unknown): StartFailure {
  if (!(error instanceof UserError)) {
    // An error from the operating system explains itself. The log's tail with the stack would only obscure it.
    const detail = error instanceof Error && "syscall" in error ? { detail: "" } : {};
    return { message: error instanceof Error ? error.message : String(error), ...detail };
  }
  return {
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    // An error with a hint does not need the log.
    ...(error.detail === undefined && error.hint === undefined ? {} : { detail: error.detail ?? "" }),
  };
}

/** Creates a folder that only this user can access, for sockets and logs. Exits when others can. */
function makePrivate(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The state folder may be a link that its user made. In the system's temporary folder, a link could be anybody's.
  const problem = foreignFolder(folder === values.state ? realpathSync(folder) : folder);
  if (problem === undefined) return;
  process.stderr.write(`${problem}; remove it or chmod it to 700\n`);
  process.exit(DaemonExit.failed);
}
