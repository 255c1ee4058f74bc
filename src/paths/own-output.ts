import { fstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import process from "node:process";

let known: readonly string[] | undefined;

/**
 * Returns the files (absolute, real paths) that receive this process's output: `> run.log`, and those of a program
 * behind a pipe (`| tee out.txt`). Empty on systems other than Linux, which do not tell.
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

/** Returns the files that the program reading a pipe has open for writing. */
function filesOfReader(pipe: string): string[] {
  return readdirSync("/proc").flatMap((id) => {
    if (!/^\d+$/.test(id) || id === String(process.pid)) return [];
    try {
      if (readlinkSync(`/proc/${id}/fd/0`) !== pipe) return [];
      return readdirSync(`/proc/${id}/fd`).flatMap((number) =>
        isWritten(id, number) ? realFile(readlinkSync(`/proc/${id}/fd/${number}`)) : [],
      );
    } catch {
      // The process has ended, or belongs to another user.
      return [];
    }
  });
}

/** The last octal digit of a file's open flags: 1 is write-only, 2 is read-write. */
function isWritten(id: string, number: string): boolean {
  return /^flags:\s*[0-7]*[12]$/m.test(readFileSync(`/proc/${id}/fdinfo/${number}`, "utf8"));
}

/** Pipes, sockets and terminals are not files; a deleted file has no path. */
function realFile(name: string): string[] {
  if (!name.startsWith("/") || name.startsWith("/dev/")) return [];
  try {
    return [realpathSync.native(name)];
  } catch {
    return [];
  }
}
