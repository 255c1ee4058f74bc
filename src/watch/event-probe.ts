import { rmSync, watch, writeFileSync } from "node:fs";
import path from "node:path";
import { makeFolder } from "../tree/index.ts";
import type { Clock } from "./clock.ts";

/** In so many turns of the event loop, each this long: a program that is busy elsewhere has not waited in vain. */
const probeTurns = 20;
const probeTurnMs = 100;

/**
 * Whether writes on this file system are announced at all: network file systems and some mounts of other machines never
 * do. One file is written beside the state and waited for; nobody waits for the answer but polling.
 */
export function fileEventsArrive(stateDir: string, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const folder = path.join(stateDir, `probe-${process.pid}`);
    let cancelTimeout = (): void => undefined;
    makeFolder(folder);
    const done = (arrived: boolean): void => {
      cancelTimeout();
      watcher.close();
      rmSync(folder, { recursive: true, force: true });
      resolve(arrived);
    };
    const watcher = watch(folder, () => done(true));
    watcher.on("error", () => done(false));
    const wait = (turns: number): void => {
      cancelTimeout = clock.after(probeTurnMs, () => (turns === 0 ? done(false) : wait(turns - 1)));
    };
    wait(probeTurns);
    writeFileSync(path.join(folder, "touch"), "");
  });
}
