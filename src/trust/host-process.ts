import type { Ask } from "./types.ts";

/** What running a module's functions in a process of this machine asks for, where the system gives no boundary. */
export function hostProcessAsk(moduleName: string): Ask {
  return { kind: "host-process", what: "function bodies", by: `module ${moduleName}` };
}
