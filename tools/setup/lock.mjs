// One set-up at a time does a thing; the others wait for it, and look whether it is done when they have the lock. The lock names its holder: a dead one's lock is broken.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { throwIfStopped } from "./run.mjs";

const pollMs = 200;
/** Between making the folder and writing the holder's id lies an instant, not this long. */
const youngMs = 5000;

export async function withLock(folder, detail, work) {
  mkdirSync(path.dirname(folder), { recursive: true });
  while (!take(folder)) {
    if (isStale(folder)) {
      // Renaming is atomic: of several that find it stale one succeeds.
      const broken = `${folder}.${process.pid}.broken`;
      try {
        renameSync(folder, broken);
        rmSync(broken, { recursive: true, force: true });
      } catch {
        // Another was faster.
      }
      continue;
    }
    detail("another set-up is at it");
    await sleep(pollMs);
    throwIfStopped();
  }
  try {
    return await work();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function take(folder) {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
  writeFileSync(path.join(folder, "pid"), String(process.pid));
  return true;
}

function isStale(folder) {
  try {
    const pid = Number(readFileSync(path.join(folder, "pid"), "utf8"));
    process.kill(pid, 0);
    return false;
  } catch (error) {
    if (error.code === "EPERM") return false;
    if (error.code === "ESRCH") return true;
    const made = statSync(folder, { throwIfNoEntry: false })?.mtimeMs;
    return made !== undefined && Date.now() - made > youngMs;
  }
}
