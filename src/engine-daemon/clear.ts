/** Removes what a daemon left that can no longer do so itself. */
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openLog } from "./buildkitd/log.ts";
import { sweep } from "./buildkitd/sweep.ts";
import { foreignFolder } from "./set-up/paths.ts";
import { takeLock } from "./lock.ts";
import { removeBridge } from "./network/network.ts";
import { forgetProcess } from "./buildkitd/process-file.ts";
import { socketDir } from "./set-up/paths.ts";

const pollMs = 15;

/**
 * Sweeps a state folder after its daemon. Returns false when another process holds the folder's lock for the whole
 * time: that is a new daemon, which sweeps by itself.
 */
export async function clearState(state: string, withinMs: number): Promise<boolean> {
  const release = await lockWithin(state, withinMs);
  if (release === undefined) return false;
  try {
    await sweep(state, openLog(state));
    await removeBridge(state);
    forgetProcess(state, "daemon");
    const sockets = socketDir(state);
    if (sockets !== state && foreignFolder(sockets) === undefined) rmSync(sockets, { recursive: true, force: true });
    return true;
  } finally {
    release();
  }
}

/**
 * Polls for the lock. The kernel releases it with the last thread of a killed process, shortly after the process seems
 * gone.
 */
async function lockWithin(state: string, withinMs: number): Promise<(() => void) | undefined> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const release = await takeLock(state);
    if (release !== undefined || performance.now() > deadline) return release;
    await sleep(pollMs);
  }
}
