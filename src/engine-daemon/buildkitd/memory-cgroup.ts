/** Bounds the memory of all containers of this daemon together, where the machine has a cgroup for that. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface MemoryCgroup {
  /** Name below which BuildKit makes the cgroups of its containers. */
  readonly name: string;
  /** `undefined`: no bound. */
  bound(bytes: number | undefined): void;
  remove(): void;
}

const mountedAt = "/sys/fs/cgroup";

/** With the folder's inode: in a chroot another engine's state has the same path, and cgroups are seen by both. */
export function cgroupName(state: string): string {
  const inode = statSync(state, { throwIfNoEntry: false })?.ino;
  const hash = createHash("sha256")
    .update(`${path.resolve(state)} ${inode}`)
    .digest("hex");
  return `fastloop-${hash.slice(0, 12)}`;
}

/** Whether a process with these lines of `/proc/PID/cgroup` is below another engine's cgroup; of nested ones the inner counts. */
export function isOfAnotherEngine(cgroups: string, name: string): boolean {
  const names = cgroups
    .split("\n")
    .flatMap((line) => [...line.matchAll(/\/(fastloop-[0-9a-f]{12})(?=\/)/g)].at(-1)?.[1] ?? []);
  return names.length > 0 && !names.includes(name);
}

/** Undefined where the kernel, or the container that we are in, has none that can be written. */
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

/** Makes the cgroup: in version 1 the one of the memory controller, in version 2 the one of all. */
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

/** In version 1 runc has made it for every controller. One that is in use stays: the next start takes it over. */
function remove(root: string, name: string): void {
  const folders = [root, ...readdirSync(root).map((each) => path.join(root, each))];
  for (const folder of folders)
    for (const below of [path.join(name, "buildkit"), name]) {
      try {
        rmdirSync(path.join(folder, below));
      } catch {
        // It is not there, or not empty.
      }
    }
}
