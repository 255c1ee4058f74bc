/** Stops the engine daemon: by request, or if it does not answer, by ending its process and everything that it runs. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../errors/index.ts";
import { isRunning } from "../../state/index.ts";
import { NoDaemon, readJson, request, type RequestOptions } from "./control.ts";
import { noticeAfterMs } from "./silence.ts";
import { clearState, notedProcess, type DaemonStatus } from "../../engine-daemon/index.ts";

const stopTimeoutMs = 30_000;
/** After SIGKILL the kernel needs no longer, unless the process waits for a disk. */
const killTimeoutMs = 5000;
const pollMs = 15;

/** Outcome of a request to stop. */
export type StopOutcome = { stopped: true; sessions: number } | { stopped: false; sessions: number } | "absent";

/**
 * Stops the daemon and resolves when it has ended. Without `force` it refuses while sessions are open. With `force`, a
 * daemon that does not answer or end is killed, and so is what a killed one has left.
 */
export async function stopDaemon(
  state: string,
  force: boolean,
  onNotice?: (text: string) => void,
): Promise<StopOutcome> {
  // A forced stop does not wait long.
  const options: RequestOptions = force ? { giveUpMs: noticeAfterMs } : { onNotice };
  const pid = notedProcess(state, "daemon");
  let outcome: StopOutcome;
  try {
    outcome = await askToStop(state, force, options);
  } catch (error) {
    if (!force) {
      if (error instanceof NoDaemon) return "absent";
      throw error;
    }
    if (error instanceof NoDaemon) outcome = "absent";
    else {
      onNotice?.(
        pid === undefined ? "the engine does not answer" : `the engine daemon (pid ${pid}) does not answer: killed`,
      );
      outcome = { stopped: true, sessions: 0 };
    }
  }
  if (force && (outcome !== "absent" || existsSync(state))) await endAll(state, pid);
  return outcome;
}

async function askToStop(state: string, force: boolean, options: RequestOptions): Promise<StopOutcome> {
  const { pid } = await readJson<DaemonStatus>(await request(state, "GET", "/status", undefined, options));
  const response = await request(state, "POST", "/stop", { force }, options);
  const { sessions } = await readJson<{ sessions: number }>(response);
  if (response.statusCode !== 200) return { stopped: false, sessions };
  if (await hasEnded(pid, stopTimeoutMs)) return { stopped: true, sessions };
  throw new UserError("engine-unavailable", `the engine daemon (pid ${pid}) does not end`, {
    hint: "`fastloop engine stop --force` kills it, and what it runs",
  });
}

/** Kills the daemon that was asked to stop, if it still runs, and cleans up as the next daemon would. */
async function endAll(state: string, asked: number | undefined): Promise<void> {
  const pid = notedProcess(state, "daemon");
  // Another command has started a new daemon meanwhile, which has cleaned up itself.
  if (pid !== undefined && pid !== asked) return;
  if (pid !== undefined) {
    // The daemon's commands are in its process group; buildkitd and the registry have their own and are swept.
    for (const target of [-pid, pid]) kill(target);
    if (!(await hasEnded(pid, killTimeoutMs)))
      throw new UserError("engine-unavailable", `the engine daemon (pid ${pid}) can't be killed`, {
        hint: "it waits for the machine, mostly for a disk: `fastloop engine logs` may say for what",
      });
  }
  if (await cleared(state)) return;
  if (notedProcess(state, "daemon") !== undefined) return;
  throw new UserError("engine-unavailable", "an unknown process holds the engine's lock", {
    place: state,
    hint: "a daemon of an earlier version of fastloop may be stuck: end the process fastloop-engine by hand",
  });
}

/**
 * Clears what the daemon has left. A full disk keeps the lock from being taken only where no daemon ever ran, and then
 * there is nothing to clear.
 */
async function cleared(state: string): Promise<boolean> {
  try {
    return await clearState(state, killTimeoutMs);
  } catch (error) {
    if (["ENOSPC", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) return true;
    throw error;
  }
}

async function hasEnded(pid: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isRunning(pid)) {
    if (performance.now() > deadline) return false;
    await sleep(pollMs);
  }
  return true;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has already ended, or leads no group.
  }
}
