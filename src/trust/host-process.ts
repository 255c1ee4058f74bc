import { refusal } from "./describe.ts";
import { Trust, type TrustMode } from "./trust.ts";
import type { Ask } from "./types.ts";

/** What running a module's functions in a process of this machine asks for, where the system gives no boundary. */
export function hostProcessAsk(moduleName: string): Ask {
  return { kind: "host-process", what: "function bodies", by: `module ${moduleName}` };
}

/** Throws the refusal unless the user trusts the project to run function bodies without a boundary. */
export function requireHostProcess(project: string, moduleName: string, mode: TrustMode, env: NodeJS.ProcessEnv = process.env): void {
  const ask = hostProcessAsk(moduleName);
  const missing = new Trust(project, [ask], mode, env).missing();
  if (missing.length > 0) throw refusal(missing);
}
