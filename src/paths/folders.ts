import { homedir, userInfo } from "node:os";
import path from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

/** `$XDG_CACHE_HOME/fastloop`, by default `~/.cache/fastloop`: what can be made again. */
export function cacheHome(env: Environment = process.env): string {
  return path.join(baseFolder(env, "XDG_CACHE_HOME", ".cache"), "fastloop");
}

/** `$XDG_STATE_HOME/fastloop`, by default `~/.local/state/fastloop`: what is the user's own, in no repository. */
export function stateHome(env: Environment = process.env): string {
  return path.join(baseFolder(env, "XDG_STATE_HOME", path.join(".local", "state")), "fastloop");
}

/** XDG: a relative path is invalid and ignored. */
function baseFolder(env: Environment, name: string, inHome: string): string {
  const base = env[name];
  return base !== undefined && path.isAbsolute(base) ? base : path.join(homeFolder(env), inHome);
}

/** Always absolute: with an empty `HOME` what is the user's own would come out of the folder that one stands in. */
export function homeFolder(env: Environment): string {
  for (const home of [() => env["HOME"], homedir, () => userInfo().homedir]) {
    try {
      const folder = home();
      if (folder !== undefined && path.isAbsolute(folder)) return folder;
    } catch {
      // The system knows no such user.
    }
  }
  return "/";
}
