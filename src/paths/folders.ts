import { homedir, userInfo } from "node:os";
import path from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns `$XDG_CACHE_HOME/fastloop`, by default `~/.cache/fastloop`: data that can be recreated. */
export function cacheHome(env: Environment = process.env): string {
  return path.join(baseFolder(env, "XDG_CACHE_HOME", ".cache"), "fastloop");
}

/** Returns `$XDG_STATE_HOME/fastloop`, by default `~/.local/state/fastloop`: the user's own data, in no repository. */
export function stateHome(env: Environment = process.env): string {
  return path.join(baseFolder(env, "XDG_STATE_HOME", path.join(".local", "state")), "fastloop");
}

/** XDG says that a relative path is invalid and ignored. */
function baseFolder(env: Environment, name: string, inHome: string): string {
  const base = env[name];
  return base !== undefined && path.isAbsolute(base) ? base : path.join(homeFolder(env), inHome);
}

/**
 * Returns the user's home, always absolute: with an empty `HOME`, the user's own data would be read from the current
 * folder.
 */
export function homeFolder(env: Environment): string {
  for (const home of [() => env["HOME"], homedir, () => userInfo().homedir]) {
    try {
      const folder = home();
      if (folder !== undefined && path.isAbsolute(folder)) return folder;
    } catch {
      // The system does not know this user.
    }
  }
  return "/";
}
