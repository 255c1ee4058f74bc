import type { Ask } from "./types.ts";

/** Returns the ask for running a module's functions in a host process where the system offers no boundary. */
export function hostProcessAsk(moduleName: string): Ask {
  return { kind: "host-process", what: "function bodies", by: `module ${moduleName}` };
}
