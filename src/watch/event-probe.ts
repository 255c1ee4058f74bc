import { watch } from "node:fs";
import process from "node:process";
import type { ProjectState } from "../state/index.ts";
import type { Clock } from "./clock.ts";

/** In so many turns of the event loop, each this long: a program that is busy elsewhere has not waited in vain. */
const probeTurns = 20;
const probeTurnMs = 100;

/**
 * Whether writes on this file system are announced at all: network file systems and some mounts of other machines never
 * do. One file is written into the state and waited for; nobody waits for the answer but polling.
 */
export function fileEventsArrive(state: ProjectState, clock: Clock): Promise<boolean> {
  const name = `probe-${process.pid}`;
  return new Promise((resolve) => {
    // The folder has to be there to be watched.
    state.inOwnFolder((held) => held.remove(name));
    let cancelTimeout = (): void => undefined;
    const done = (arrived: boolean): void => {
      cancelTimeout();
      watcher.close();
      state.remove(".", [name]);
      resolve(arrived);
    };
    const watcher = watch(state.path, () => done(true));
    watcher.on("error", () => done(false));
    const wait = (turns: number): void => {
      cancelTimeout = clock.after(probeTurnMs, () => (turns === 0 ? done(false) : wait(turns - 1)));
    };
    wait(probeTurns);
    state.inOwnFolder((held) => held.make(name, ""));
  });
}
