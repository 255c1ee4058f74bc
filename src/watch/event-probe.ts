import { watch } from "node:fs";
import process from "node:process";
import type { ProjectState } from "../state/index.ts";
import type { Clock } from "./clock.ts";

/** The wait is split into turns of the event loop, so that a process that was busy does not miss the event. */
const probeTurns = 20;
const probeTurnMs = 100;

/**
 * Reports whether this file system sends file events at all: network file systems and some mounts from other machines
 * never do. The probe writes a file into the state and waits for its event; only the switch to polling waits for the
 * answer.
 */
export function fileEventsArrive(state: ProjectState, clock: Clock): Promise<boolean> {
  const name = `probe-${process.pid}`;
  return new Promise((resolve) => {
    // The folder must exist to be watched.
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
