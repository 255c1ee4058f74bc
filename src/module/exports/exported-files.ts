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
    const { entries } = listTree(folder);
    const bytes = entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (bytes > largestBytes)
      throw new Error(
        `export in a function body is for files of up to ${largestBytes} bytes together, and these have ${bytes}: return them, and save them with \`-o PATH\``,
      );
    return JSON.stringify(entries.flatMap((entry) => exported(folder, entry)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Node's permission model makes no links for a body: it gets what a link in the directory leads to. */
function exported(
  folder: string,
  { path: name, type, mode }: ReturnType<typeof listTree>["entries"][number],
): ExportedFile[] {
  const place = path.join(folder, name);
  if (type === "directory") return [{ path: name, mode: mode & 0o777 }];
  if (type === "symlink") {
    const target = realOf(place);
    const isFile = target !== undefined && isInside(folder, target) && statSync(target).isFile();
    return isFile ? [{ path: name, mode: statSync(target).mode & 0o777, content: contentOf(target) }] : [];
  }
  return [{ path: name, mode: mode & 0o777, content: contentOf(place) }];
}

const contentOf = (file: string): string => readFileSync(file).toString("base64");

function realOf(place: string): string | undefined {
  try {
    return realpathSync(place);
  } catch {
    return undefined;
  }
}
