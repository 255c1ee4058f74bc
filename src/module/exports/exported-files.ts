/** Files that a body exports into its own file system: written beside it by the session, read there, and sent to it. */
import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { listTree } from "../../tree/index.ts";
import { isInside } from "../boundary/inside.ts";

/** A file, or a folder where it has no content. */
export interface ExportedFile {
  /** In the exported directory; of an exported file its name. */
  path: string;
  mode: number;
  /** Base64. */
  content?: string;
}

/** Writes an object of the session's into a folder, with the user's rights. */
export type ExportTo = (type: "Directory" | "File", id: string, folder: string, signal: AbortSignal) => Promise<void>;

/** The answer is one message. */
const largestBytes = 64 * 1024 * 1024;

/** As JSON. */
export async function exportedFiles(
  type: "Directory" | "File",
  id: string,
  exportTo: ExportTo,
  signal: AbortSignal,
): Promise<string> {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "fastloop-export-")));
  try {
    await exportTo(type, id, folder, signal);
    const files = listTree(folder).entries.flatMap((entry) => exported(folder, entry));
    const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (bytes > largestBytes)
      throw new Error(
        `export in a function body is for files of up to ${largestBytes} bytes together, and these have ${bytes}: return them, and save them with \`-o PATH\``,
      );
    return JSON.stringify(files.map(read));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Found {
  path: string;
  mode: number;
  /** What a link leads to counts as often as it is linked: so often it is sent. */
  sizeBytes: number;
  /** Where its content is; none of a folder. */
  place?: string;
}

/** Node's permission model makes no links for a body: it gets what a link in the directory leads to. */
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
