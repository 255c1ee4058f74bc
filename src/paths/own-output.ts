import { fstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import process from "node:process";

let known: readonly string[] | undefined;

/**
 * Files (absolute, real paths) that what this process prints ends in: `> run.log`, and those of the program behind a pipe
 * (`| tee out.txt`). Where the system does not tell (Linux does) there are none.
 */
export function filesPrintedTo(): readonly string[] {
  return (known ??= [...new Set([1, 2].flatMap(filesBehind))]);
}

function filesBehind(descriptor: number): string[] {
  try {
    const stats = fstatSync(descriptor);
    const text = readlinkSync(`/proc/self/fd/${descriptor}`);
    if (stats.isFile()) return realFile(text);
    return stats.isFIFO() ? filesOfReader(text) : [];
  } catch {
    return [];
  }
}

/** What the program that reads a pipe has open for writing. */
function filesOfReader(pipe: string): string[] {
  return readdirSync("/proc").flatMap((id) => {
    if (!/^\d+$/.test(id) || id === String(process.pid)) return [];
    try {
      if (readlinkSync(`/proc/${id}/fd/0`) !== pipe) return [];
      return readdirSync(`/proc/${id}/fd`).flatMap((number) =>
        isWritten(id, number) ? realFile(readlinkSync(`/proc/${id}/fd/${number}`)) : [],
      );
    } catch {
      // It has ended, or is somebody else's.
      return [];
    }
  });
}

/** The last octal digits of the flags that a file was opened with: 1 writes, 2 reads and writes. */
function isWritten(id: string, number: string): boolean {
  return /^flags:\s*[0-7]*[12]$/m.test(readFileSync(`/proc/${id}/fdinfo/${number}`, "utf8"));
}

/** Pipes, sockets and terminals are none; what was deleted has no name. */
function realFile(name: string): string[] {
  if (!name.startsWith("/") || name.startsWith("/dev/")) return [];
  try {
    return [realpathSync.native(name)];
  } catch {
    return [];
  }
}
