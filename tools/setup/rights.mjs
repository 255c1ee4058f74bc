// Whether this user can have an engine at all: asked before anything is installed or built. Which engine it is in the end
// is decided by src/engine/choose.ts, once dist/ is there.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { SetupError } from "./errors.mjs";
import { findProgram } from "./run.mjs";

/** What names an engine of another kind. */
const named = ["DAGGER_SESSION_PORT", "_EXPERIMENTAL_DAGGER_RUNNER_HOST", "BUILDKIT_HOST"];
const runtimes = ["docker", "podman", "nerdctl", "finch"];
const timeoutMs = 5000;

/** Throws a SetupError for an ordinary user without a container runtime that answers. */
export function requireEngineRights(env = process.env) {
  if (process.getuid?.() === 0 || named.some((name) => env[name])) return;
  const installed = runtimes.map((name) => findProgram(name)).filter((file) => file !== undefined);
  if (installed.some(answers)) return;
  throw noRights(installed.length === 0 ? "none is installed" : `${installed.join(", ")}: no answer`);
}

export function noRights(why) {
  const isLinux = process.platform === "linux";
  return new SetupError(`containers need ${isLinux ? "root or " : ""}a container runtime`, {
    why: `you are not root, and of docker, podman, nerdctl and finch ${why}; nothing was changed`,
    next: `start Docker or Podman, name a BuildKit daemon with BUILDKIT_HOST${isLinux ? ", or run this as root" : ""}`,
  });
}

const answers = (file) => spawnSync(file, ["version"], { stdio: "ignore", timeout: timeoutMs }).status === 0;
