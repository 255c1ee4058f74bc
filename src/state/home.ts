import { homedir } from "node:os";
import path from "node:path";

/** `$XDG_STATE_HOME/fastloop`, by default `~/.local/state/fastloop`: what is the user's own, in no repository. */
export function stateHome(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = env["XDG_STATE_HOME"];
  // XDG: a relative path is invalid and ignored.
  if (base !== undefined && path.isAbsolute(base)) return path.join(base, "fastloop");
  return path.join(env["HOME"] ?? homedir(), ".local", "state", "fastloop");
}
