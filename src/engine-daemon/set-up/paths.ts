/** Where the engine keeps things. tools/setup.mjs takes it from here (setup-support.ts). */
import { lstatSync } from "node:fs";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { cacheHome, enginePackage, stateHome } from "../../paths/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** `$XDG_STATE_HOME/fastloop/engine[-hash]`: one per BuildKit address; `undefined` is our own buildkitd. */
export function stateDir(buildkitHost: string | undefined, env: Environment = process.env): string {
  const suffix = buildkitHost === undefined ? "" : `-${sha256(buildkitHost).slice(0, 8)}`;
  return path.join(stateHome(env), `engine${suffix}`);
}

/** The kernel takes so many bytes for a socket's path. */
const maxSocketPathBytes = 107;
/** The longest one below the folder: buildkitd's, for a service of the host that a container reaches. */
const deepestSocket = path.join("tmp", ".buildkit-ssh-sock0123456789", "ssh_auth_sock");

/** Folder of the sockets and temporary files that belong to a state folder: a short one where that is a deep one. */
export function socketDir(state: string): string {
  if (Buffer.byteLength(path.join(state, deepestSocket)) <= maxSocketPathBytes) return state;
  return path.join(tmpdir(), `fastloop-${userInfo().uid}-${sha256(state).slice(0, 16)}`);
}

export function controlSocket(state: string): string {
  return path.join(socketDir(state), "control.sock");
}

/** BuildKit's own state: its cache, its mounts. */
export function buildkitRoot(state: string): string {
  return path.join(state, "buildkit");
}

/** Who has which address on the bridge of containers. */
export function leasesFolder(state: string): string {
  return path.join(state, "leases");
}

/** Files that live no longer than a daemon: of its sessions, and of its buildkitd. */
export function temporaryRoot(state: string): string {
  return path.join(socketDir(state), "tmp");
}

/**
 * Folder of `buildkitd`, and for benchmarks `buildctl`: the engine's package, else where set-up builds them, as pinned by
 * tools/go.mod and made from tools/buildkitd.
 */
export function toolsDir(root: string, env: Environment = process.env): string {
  const ready = enginePackage(root);
  if (ready !== undefined) return path.join(ready, "bin");
  const pins = ["go.mod", "go.sum", "buildkitd/main.go"].map((file) => readFileSync(path.join(root, "tools", file)));
  return path.join(cacheHome(env), "tools", sha256(...pins).slice(0, 16), "bin");
}

/** Folder that holds the static `shim` for an architecture, as Go names it (`amd64`, `arm64`). */
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

/** Storage of the local image registry that set-up fills where no image registry can be reached. */
export function imagesDir(env: Environment = process.env): string {
  return path.join(cacheHome(env), "images");
}

function sha256(...parts: (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Folders that nobody else may write into: who could would be the daemon to our clients, or a client to our daemon. */

/** Why a folder is not this user's alone; undefined when it is, or when there is none. */
export function foreignFolder(folder: string): string | undefined {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  const uid = process.getuid?.();
  if (stats === undefined || uid === undefined) return undefined;
  if (!stats.isDirectory()) return `${folder} is not a folder`;
  if (stats.uid !== uid) return `${folder} belongs to another user`;
  return (stats.mode & 0o077) === 0 ? undefined : `${folder} is open to other users`;
}
