/**
 * Provides the helper that runs commands in containers. Set-up builds it for this machine; for another architecture it
 * is built on first need.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { requireBuilt } from "../../state/index.ts";
import { runSetup } from "./run.ts";

/**
 * Returns a function that resolves to the folder of an architecture's helper. If it is missing, the first of several
 * callers has it built and the others wait.
 */
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
