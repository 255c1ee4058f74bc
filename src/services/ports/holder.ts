/** Finds the process that has a port on the host, as far as the kernel shows it to this user. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { textIfThere } from "../../paths/index.ts";
import { printable } from "../../text/index.ts";

export interface PortHolder {
  pid: number;
  /** Command line, truncated. */
  command: string;
}

const longestCommand = 80;
const listening = "0A";

/** Undefined when unknown: the process is another user's, or the host does not run Linux. */
export function portHolder(port: number): PortHolder | undefined {
  const inodes = new Set(["tcp", "tcp6"].flatMap((table) => inodesOf(`/proc/net/${table}`, port)));
  if (inodes.size === 0) return undefined;
  try {
    for (const pid of readdirSync("/proc")) {
      if (/^\d+$/.test(pid) && holds(pid, inodes)) return { pid: Number(pid), command: commandOf(pid) };
    }
  } catch {
    // No /proc.
  }
  return undefined;
}

/** Returns inodes of the sockets that listen on a port. */
function inodesOf(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  // Empty on other systems than Linux, or without IPv6.
  return textIfThere(table)
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === listening && fields[1]?.endsWith(`:${wanted}`) === true)
    .map((fields) => fields[9] ?? "");
}

function holds(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const target = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
      return target !== undefined && inodes.has(target);
    });
  } catch {
    return false; // The process has exited, or is another user's.
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function commandOf(pid: string): string {
  const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
  const text = printable(words);
  return text.length <= longestCommand ? text : `${text.slice(0, longestCommand - 1)}…`;
}
