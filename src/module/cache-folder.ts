import { homedir } from "node:os";
import path from "node:path";

/** `$XDG_CACHE_HOME/fastloop`, by default `~/.cache/fastloop`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CACHE_HOME;
  return path.join(base !== undefined && path.isAbsolute(base) ? base : path.join(homedir(), ".cache"), "fastloop");
}
