/** Free memory in the cgroup that fastloop runs in, or on the host if there is no limit. */
import os from "node:os";
import path from "node:path";
import { textIfThere } from "../paths/index.ts";
import { sumOfResources } from "../plan/index.ts";
import type { ResourceMonitor } from "./types.ts";

/** Locations of the kernel's cgroup and memory information; other folders in tests. */
export interface CgroupPlaces {
  /** Mount point of the hierarchy. */
  mount: string;
  /** File that lists this process's cgroups. */
  self: string;
  meminfo: string;
}

const places: CgroupPlaces = { mount: "/sys/fs/cgroup", self: "/proc/self/cgroup", meminfo: "/proc/meminfo" };

/**
 * Lets a function start when the memory it declares is free, measured by actual use instead of others' declarations.
 */
export function cgroupMonitor(at: CgroupPlaces = places): ResourceMonitor {
  return {
    name: "cgroup",
    currentUsage: (running) => ({ ...sumOfResources(running), memoryBytes: os.totalmem() - freeBytes(at) }),
    canAllocate: ({ memoryBytes }) => memoryBytes <= freeBytes(at),
  };
}

/** Returns the least memory left in this cgroup, those above it and the host, in bytes. */
export function freeBytes(at: CgroupPlaces): number {
  const free = [availableBytes(at.meminfo)];
  for (const folder of ownFolders(at)) {
    const limit = numberIn(path.join(folder, "memory.max")) ?? numberIn(path.join(folder, "memory.limit_in_bytes"));
    const used = numberIn(path.join(folder, "memory.current")) ?? numberIn(path.join(folder, "memory.usage_in_bytes"));
    // The kernel reclaims inactive file pages when memory is needed.
    if (limit !== undefined && used !== undefined) free.push(limit - used + inactiveFileBytes(folder));
  }
  return Math.max(0, Math.min(...free));
}

/**
 * Returns the folders of this process's cgroup and those above it: version 2, or the memory controller of version 1.
 */
function ownFolders({ mount, self }: CgroupPlaces): string[] {
  const lines = textIfThere(self).split("\n");
  const first = lines.find((line) => /^\d+:[^:]*\bmemory\b[^:]*:/.test(line));
  const second = lines.find((line) => line.startsWith("0::"));
  const base = first === undefined ? mount : path.join(mount, "memory");
  const own = (first ?? second)?.split(":").slice(2).join(":") ?? "/";
  const parts = own.split("/").filter((part) => part !== "" && part !== "..");
  return [...parts.keys(), parts.length].map((count) => path.join(base, ...parts.slice(0, count)));
}

function inactiveFileBytes(folder: string): number {
  const match = /^(?:total_)?inactive_file (\d+)$/m.exec(textIfThere(path.join(folder, "memory.stat")));
  return match === null ? 0 : Number(match[1]);
}

function availableBytes(meminfo: string): number {
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec(textIfThere(meminfo));
  return match === null ? os.freemem() : Number(match[1]) * 1024;
}

/** Returns undefined for `max` and for missing files. */
function numberIn(file: string): number | undefined {
  const text = textIfThere(file).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
