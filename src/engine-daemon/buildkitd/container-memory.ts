/** The memory of one container, by its cgroup: what it uses, the most that it may have, and whether that was too little. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface ContainerMemory {
  /** Without what the kernel keeps of its files and can give back. */
  usedBytes: number;
  /** Processes that were ended because it wanted more than it may have. */
  kills: number;
}

interface Cgroup {
  folder: string;
  isFirstVersion: boolean;
}

const mountedAt = "/sys/fs/cgroup";

/** Of the container in which a process has that word in its command line; undefined where the machine can't tell. */
export function containerMemory(word: string, limitBytes: number | undefined): ContainerMemory | undefined {
  try {
    const cgroup = cgroupOf(word);
    if (cgroup === undefined) return undefined;
    if (limitBytes !== undefined) limit(cgroup, limitBytes);
    return read(cgroup);
  } catch {
    return undefined; // It has just ended, or nothing may be written there.
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
  // The root's is that of the whole machine.
  return folder === undefined || !existsSync(folder) ? undefined : { folder, isFirstVersion: first !== undefined };
}

function hasWord(pid: string, word: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(word);
  } catch {
    return false;
  }
}

/** What is swapped out would be slower than what is told: it gets no swap beside. */
function limit({ folder, isFirstVersion }: Cgroup, bytes: number): void {
  const [memory, swap] = isFirstVersion
    ? ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]
    : ["memory.max", "memory.swap.max"];
  const write = (file: string, value: number): void => writeFileSync(path.join(folder, file), `${value}\n`);
  const withoutSwap = (): void => {
    try {
      write(swap, isFirstVersion ? bytes : 0);
    } catch {
      // A kernel without accounts of swap.
    }
  };
  try {
    write(memory, bytes);
    withoutSwap();
  } catch {
    // In version 1 both together are never less than the one: more than before begins with them.
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
