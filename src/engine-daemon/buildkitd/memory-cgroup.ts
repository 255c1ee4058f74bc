/** Limits the memory of all containers of this daemon together, if the machine has a cgroup for it. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface MemoryCgroup {
  /** Name of the cgroup that is the parent of BuildKit's containers. */
  readonly name: string;
  /** Sets the limit; `undefined` removes it. */
  bound(bytes: number | undefined): void;
  remove(): void;
}

const mountedAt = "/sys/fs/cgroup";

/**
 * Returns the cgroup's name. It includes the folder's inode: an engine in a chroot can have a state folder with the
 * same path, and both engines see the same cgroups.
 */
export function cgroupName(state: string): string {
  const inode = statSync(state, { throwIfNoEntry: false })?.ino;
  const hash = createHash("sha256")
    .update(`${path.resolve(state)} ${inode}`)
    .digest("hex");
  return `fastloop-${hash.slice(0, 12)}`;
}

/**
 * Reports whether a process with these lines of `/proc/PID/cgroup` belongs to another engine. For nested cgroups, the
 * inner one decides.
 */
export function isOfAnotherEngine(cgroups: string, name: string): boolean {
  const names = cgroups
    .split("\n")
    .flatMap((line) => [...line.matchAll(/\/(fastloop-[0-9a-f]{12})(?=\/)/g)].at(-1)?.[1] ?? []);
  return names.length > 0 && !names.includes(name);
}

/**
 * Opens the cgroup. Returns undefined when the kernel, or the container that the daemon runs in, has none that is
 * writable.
 */
export function openMemoryCgroup(state: string, root = mountedAt): MemoryCgroup | undefined {
  const name = cgroupName(state);
  try {
    const { folder, file, none } = prepared(root, name);
    const bound = (bytes: number | undefined): void => writeFileSync(path.join(folder, file), `${bytes ?? none}\n`);
    bound(undefined);
    return { name, bound, remove: () => remove(root, name) };
  } catch {
    return undefined;
  }
}

/** Creates the cgroup: the memory controller's in version 1, the unified one in version 2. */
function prepared(root: string, name: string): { folder: string; file: string; none: string } {
  const first = path.join(root, "memory");
  if (existsSync(path.join(first, "memory.limit_in_bytes"))) {
    const folder = path.join(first, name);
    mkdirSync(folder, { recursive: true });
    return { folder, file: "memory.limit_in_bytes", none: "-1" };
  }
  const controllers = (file: string): string[] => readFileSync(path.join(root, file), "utf8").trim().split(" ");
  if (!controllers("cgroup.controllers").includes("memory")) throw new Error("no memory controller");
  if (!controllers("cgroup.subtree_control").includes("memory"))
    writeFileSync(path.join(root, "cgroup.subtree_control"), "+memory");
  const folder = path.join(root, name);
  mkdirSync(folder, { recursive: true });
  return { folder, file: "memory.max", none: "max" };
}

/**
 * Removes the cgroup. In version 1, runc has created it for every controller. One in use is kept for the next start.
 */
function remove(root: string, name: string): void {
  const folders = [root, ...readdirSync(root).map((each) => path.join(root, each))];
  for (const folder of folders)
    for (const below of [path.join(name, "buildkit"), name]) {
      try {
        rmdirSync(path.join(folder, below));
      } catch {
        // It does not exist or is not empty.
      }
    }
}
