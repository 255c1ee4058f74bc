/** The helper that runs commands in containers: set-up has this machine's, another architecture's is built on first need. */
import { existsSync } from "node:fs";
import path from "node:path";
import { requireBuilt } from "../../state/index.ts";
import { runSetup } from "./run.ts";

/** Gives the folder of an architecture's helper; of several that need one which is not there, the first has it built. */
export function createFindShim(
  fileFor: (architecture: string) => string,
  setup: typeof runSetup = runSetup,
): (architecture: string) => Promise<string> {
  const building = new Map<string, Promise<void>>();
  return async (architecture) => {
    const file = fileFor(architecture);
    if (!existsSync(file)) {
      let pending = building.get(architecture);
      if (pending === undefined) {
        pending = setup(["shim"], {}, ["--arch", architecture]).finally(() => building.delete(architecture));
        building.set(architecture, pending);
      }
      await pending;
    }
    return path.dirname(requireBuilt(file));
  };
}
