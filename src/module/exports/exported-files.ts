/**
 * Files that a body exports into its own file system: the session writes them to a temporary folder, where the CLI
 * reads them and sends them to the body.
 */
import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isInside } from "../../paths/index.ts";
import { listTree } from "../../tree/index.ts";

/** A file, or a folder if it has no content. */
export interface ExportedFile {
  /** Path in the exported directory, or the name of an exported file. */
  path: string;
  mode: number;
  /** Base64. */
  content?: string;
}

/** Writes an object of the session into a folder, with the user's rights. */
export type ExportTo = (type: "Directory" | "File", id: string, folder: string, signal: AbortSignal) => Promise<void>;

/** Limit of all contents together, as the answer is one message. */
const largestBytes = 64 * 1024 * 1024;

/** Returns the exported files as JSON. Throws if they are too large together. */
export async function exportedFiles(
  type: "Directory" | "File",
  id: string,
  exportTo: ExportTo,
  signal: AbortSignal,
): Promise<string> {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "fastloop-export-")));
  try {
    await writeBounded(folder, signal, (bounded) => exportTo(type, id, folder, bounded));
    const files = filesIn(folder);
    refuseMore(files);
    return JSON.stringify(files.map(read));
  } finally {
    // An aborted export may still be writing its last file.
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/**
 * Interval at which a running export is measured, as a body could otherwise fill the disk with what it may not have.
 */
const weighMs = 100;

async function writeBounded(
  folder: string,
  signal: AbortSignal,
  write: (bounded: AbortSignal) => Promise<void>,
): Promise<void> {
  const tooMuch = new AbortController();
  const weighing = setInterval(() => {
    try {
      refuseMore(filesIn(folder));
    } catch (error) {
      // A file that vanishes during the measurement is covered by the next one.
      if (error instanceof TooMuch) tooMuch.abort(error);
    }
  }, weighMs);
  try {
    await write(AbortSignal.any([signal, tooMuch.signal]));
  } catch (error) {
    tooMuch.signal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(weighing);
  }
}

class TooMuch extends Error {}

function refuseMore(files: readonly Found[]): void {
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (bytes > largestBytes)
    throw new TooMuch(
      `export in a function body is for files of up to ${largestBytes} bytes together, and these have ${bytes} or more: return them, and save them with \`-o PATH\``,
    );
}

const filesIn = (folder: string): Found[] => listTree(folder).entries.flatMap((entry) => exported(folder, entry));

interface Found {
  path: string;
  mode: number;
  /** Size in bytes. A link's target counts each time it is linked, because it is also sent each time. */
  sizeBytes: number;
  /** Path of the content; a folder has none. */
  place?: string;
}

/** Node's permission model lets a body create no links, so the body gets the target of each link in the directory. */
function exported(
  folder: string,
  { path: name, type, mode, sizeBytes }: ReturnType<typeof listTree>["entries"][number],
): Found[] {
  const place = path.join(folder, name);
  if (type === "directory") return [{ path: name, mode: mode & 0o777, sizeBytes: 0 }];
  if (type === "file") return [{ path: name, mode: mode & 0o777, sizeBytes, place }];
  const target = realOf(place);
  if (target === undefined || !isInside(folder, target)) return [];
  const stats = statSync(target);
  return stats.isFile() ? [{ path: name, mode: stats.mode & 0o777, sizeBytes: stats.size, place: target }] : [];
}

const read = ({ path: name, mode, place }: Found): ExportedFile => ({
  path: name,
  mode,
  ...(place === undefined ? {} : { content: readFileSync(place).toString("base64") }),
});

function realOf(place: string): string | undefined {
  try {
    return realpathSync(place);
  } catch {
    return undefined;
  }
}
