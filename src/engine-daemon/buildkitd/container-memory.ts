/** Memory of one container, from its cgroup: usage, limit, and whether the limit was too low. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { textIfThere } from "../../paths/index.ts";

export interface ContainerMemory {
  /** Bytes in use, without the file cache that the kernel can reclaim. */
  usedBytes: number;
  /** Number of processes that the kernel killed because the container exceeded its limit. */
  kills: number;
}

interface Cgroup {
  folder: string;
  isFirstVersion: boolean;
}

const mountedAt = "/sys/fs/cgroup";

/**
 * Returns the memory of the container in which a process has this word in its command line, after setting its limit if
 * one is given. Undefined when there is no such process or the machine cannot tell.
 */
export function containerMemory(word: string, limitBytes: number | undefined): ContainerMemory | undefined {
  try {
    const cgroup = cgroupOf(word);
    if (cgroup === undefined) return undefined;
    if (limitBytes !== undefined) limit(cgroup, limitBytes);
    return read(cgroup);
  } catch {
    return undefined; // The container has just ended, or its cgroup is not writable.
  }
}

function cgroupOf(word: string): Cgroup | undefined {
  const pid = readdirSync("/proc").find((name) => /^\d+$/.test(name) && hasWord(name, word));
  if (pid === undefined) return undefined;
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
  const of = (pattern: RegExp): string | undefined =>
    lines.map((line) => pattern.exec(line)?.[1]).find((found) => found !== undefined && !found.includes("/.."));
  const first = of(/^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.+)$/);
  const second = of(/^0::(\/.+)$/);
  const folder = first === undefined ? second && path.join(mountedAt, second) : path.join(mountedAt, "memory", first);
  // The root cgroup covers the whole machine, so it does not count.
  return folder === undefined || !existsSync(folder) ? undefined : { folder, isFirstVersion: first !== undefined };
}

function hasWord(pid: string, word: string): boolean {
  return textIfThere(`/proc/${pid}/cmdline`).split("\0").includes(word);
}

/**
 * Limits the memory including swap, because a container that swaps would be slower than its reported memory suggests.
 */
function limit({ folder, isFirstVersion }: Cgroup, bytes: number): void {
  const [memory, swap] = isFirstVersion
    ? ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
    : ["memory.max", "memory.swap.max"];
  const write = (file: string, value: number): void => writeFileSync(path.join(folder, file), `${value}\n`);
  const withoutSwap = (): void => {
    try {
      write(swap, isFirstVersion ? bytes : 0);
    } catch {
      // The kernel does not account swap.
    }
  };
  try {
    write(memory, bytes);
    withoutSwap();
  } catch {
    // In cgroup version 1, the limit on memory and swap together is never below the one on memory. Raising the limits
    // therefore starts with the former.
    withoutSwap();
    write(memory, bytes);
  }
}

function read({ folder, isFirstVersion }: Cgroup): ContainerMemory {
  const text = (file: string): string => readFileSync(path.join(folder, file), "utf8");
  const field = (file: string, name: string): number =>
    Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text(file))?.[1] ?? 0);
  const used = Number(text(isFirstVersion ? "memory.usage_in_bytes" : "memory.current"));
  const idle = field("memory.stat", isFirstVersion ? "total_inactive_file" : "inactive_file");
  const kills = field(isFirstVersion ? "memory.oom_control" : "memory.events", "oom_kill");
  return { usedBytes: Math.max(0, used - idle), kills };
}
