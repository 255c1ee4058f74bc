/** Paths of the engine's files. tools/setup.mjs uses them too (setup-support.ts). */
import { lstatSync } from "node:fs";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { cacheHome, enginePackage, stateHome } from "../../paths/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns `$XDG_STATE_HOME/fastloop/engine[-hash]`, one per BuildKit address. `undefined` stands for the daemon's own
 * buildkitd.
 */
export function stateDir(buildkitHost: string | undefined, env: Environment = process.env): string {
  const suffix = buildkitHost === undefined ? "" : `-${sha256(buildkitHost).slice(0, 8)}`;
  return path.join(stateHome(env), `engine${suffix}`);
}

/** Maximum length of a socket's path in the kernel. */
const maxSocketPathBytes = 107;
/** Longest socket path below the folder. It is buildkitd's, for a service of the host that a container reaches. */
const deepestSocket = path.join("tmp", ".buildkit-ssh-sock0123456789", "ssh_auth_sock");

/**
 * Returns the folder for a state folder's sockets and temporary files, which has a short path if the state folder's is
 * too long.
 */
export function socketDir(state: string): string {
  if (Buffer.byteLength(path.join(state, deepestSocket)) <= maxSocketPathBytes) return state;
  return path.join(tmpdir(), `fastloop-${userInfo().uid}-${sha256(state).slice(0, 16)}`);
}

export function controlSocket(state: string): string {
  return path.join(socketDir(state), "control.sock");
}

/** BuildKit's own state: its cache and its mounts. */
export function buildkitRoot(state: string): string {
  return path.join(state, "buildkit");
}

/** Leases of the addresses on the containers' bridge. */
export function leasesFolder(state: string): string {
  return path.join(state, "leases");
}

/** Folder for files that do not outlive the daemon: those of its sessions and of its buildkitd. */
export function temporaryRoot(state: string): string {
  return path.join(socketDir(state), "tmp");
}

/**
 * Returns the folder of `buildkitd`, and of `buildctl` for benchmarks. It is in the engine's package, or where set-up
 * builds them as pinned by tools/go.mod from tools/buildkitd.
 */
export function toolsDir(root: string, env: Environment = process.env): string {
  const ready = enginePackage(root);
  if (ready !== undefined) return path.join(ready, "bin");
  const pins = ["go.mod", "go.sum", "buildkitd/main.go"].map((file) => readFileSync(path.join(root, "tools", file)));
  return path.join(cacheHome(env), "tools", sha256(...pins).slice(0, 16), "bin");
}

/** Returns the folder of the static `shim` for an architecture, named as in Go (`amd64`, `arm64`). */
export function shimDir(root: string, arch: string, env: Environment = process.env): string {
  const ready = enginePackage(root);
  if (ready !== undefined) return path.join(ready, "shim", arch);
  const folder = path.join(root, "tools", "shim");
  const sources = readdirSync(folder)
    .filter((file) => /\.(go|mod)$/.test(file) && !file.endsWith("_test.go"))
    .sort();
  const key = sha256(...sources.flatMap((file) => [file, readFileSync(path.join(folder, file))])).slice(0, 16);
  return path.join(cacheHome(env), "shim", key, arch);
}

/** Storage of the local image registry, which set-up fills where no image registry can be reached. */
export function imagesDir(env: Environment = process.env): string {
  return path.join(cacheHome(env), "images");
}

function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/**
 * Folders must not be writable by others: another user could then pose as the daemon to clients, or as a client to the
 * daemon.
 */

/** Returns why a folder does not belong to this user alone. Undefined when it does, or when there is none. */
export function foreignFolder(folder: string): string | undefined {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  const uid = process.getuid?.();
  if (stats === undefined || uid === undefined) return undefined;
  if (!stats.isDirectory()) return `${folder} is not a folder`;
  if (stats.uid !== uid) return `${folder} belongs to another user`;
  return (stats.mode & 0o077) === 0 ? undefined : `${folder} is open to other users`;
}
