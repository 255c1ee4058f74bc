import { writeFileSync, chmodSync, renameSync, utimesSync } from "node:fs";
import {
  chmod,
  type FileHandle,
  link,
  lstat,
  lutimes,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  symlink,
  utimes,
} from "node:fs/promises";
import { randomBytes } from "node:crypto";
import path from "node:path";
import { makeFolders } from "../../tree/index.ts";
import { unixMode } from "./mode.ts";
import type { Stat } from "./packet.ts";

/** Files up to this size are collected in memory and written at once. */
const SMALL_FILE_BYTES = 64 * 1024;

interface OpenFile {
  stat: Stat;
  at: string;
  temporary: string;
  /** Content of a small file. */
  chunks: Buffer[];
  /** Handle of a large file. */
  handle: FileHandle | undefined;
}

/**
 * Writes a received tree below one folder and nowhere else. Every parent must be a folder that this transfer named and
 * that is not a link. Files are written beside their destination and renamed into place, which replaces a link instead
 * of following it.
 */
export class TreeWriter {
  #root: string;
  readonly #folders = new Map<string, Stat>();
  readonly #files = new Map<number, OpenFile>();
  readonly #hardlinks: { at: string; to: string }[] = [];
  readonly #kept = new Set<string>();

  constructor(target: string) {
    this.#root = target;
  }

  async open(): Promise<void> {
    makeFolders(this.#root);
    this.#root = await realpath(this.#root);
  }

  async directory(stat: Stat): Promise<void> {
    const at = this.#claim(stat.path);
    this.#folders.set(stat.path, stat);
    const existing = await lstat(at).catch(() => undefined);
    if (existing?.isDirectory() === true) {
      // Grant the access that writing the folder's content needs. The final mode is set at the end.
      if ((existing.mode & 0o700) !== 0o700) await chmod(at, existing.mode | 0o700);
      return;
    }
    if (existing !== undefined) await rm(at);
    await mkdir(at, { mode: 0o700 });
  }

  async symlink(stat: Stat): Promise<void> {
    const at = this.#claim(stat.path);
    const temporary = temporaryName(at);
    await symlink(stat.linkname, temporary);
    await lutimes(temporary, seconds(stat), seconds(stat));
    await replace(temporary, at);
  }

  /** Records a hard link. Links are created at the end, when their targets are complete. */
  hardlink(stat: Stat): void {
    this.#hardlinks.push({ at: this.#claim(stat.path), to: stat.linkname });
  }

  beginFile(id: number, stat: Stat): void {
    const at = this.#claim(stat.path);
    this.#files.set(id, { stat, at, temporary: temporaryName(at), chunks: [], handle: undefined });
  }

  async write(id: number, data: Buffer): Promise<void> {
    const file = this.#file(id);
    if (file.stat.sizeBytes <= SMALL_FILE_BYTES) {
      file.chunks.push(data);
      return;
    }
    file.handle ??= await open(file.temporary, "wx", 0o600);
    for (let offset = 0; offset < data.length;) offset += (await file.handle.write(data, offset)).bytesWritten;
  }

  async finishFile(id: number): Promise<void> {
    const { stat, at, temporary, chunks, handle } = this.#file(id);
    const mode = unixMode(stat.mode);
    if (handle === undefined) {
      writeFileSync(temporary, chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks), {
        mode: 0o600,
        flag: "wx",
      });
      chmodSync(temporary, mode);
      utimesSync(temporary, seconds(stat), seconds(stat));
      this.#files.delete(id);
      try {
        renameSync(temporary, at);
      } catch {
        await replace(temporary, at);
      }
      return;
    }
    await handle.chmod(mode);
    await handle.utimes(seconds(stat), seconds(stat));
    await handle.close();
    this.#files.delete(id);
    await replace(temporary, at);
  }

  /** Creates the hard links, removes other entries if `wipe` is set, and then sets the folders' modes and times. */
  async close(wipe: boolean): Promise<void> {
    for (const { at, to } of this.#hardlinks) {
      const temporary = temporaryName(at);
      await link(this.#place(to), temporary);
      await replace(temporary, at);
    }
    if (wipe) await this.#removeOthers("");
    for (const [folder, stat] of [...this.#folders].toReversed()) {
      const at = path.join(this.#root, folder);
      await chmod(at, unixMode(stat.mode));
      await utimes(at, seconds(stat), seconds(stat));
    }
  }

  /** Removes partially written files. */
  async abort(): Promise<void> {
    for (const { handle, temporary } of this.#files.values()) {
      await handle?.close();
      await rm(temporary, { force: true });
    }
    this.#files.clear();
  }

  async #removeOthers(folder: string): Promise<void> {
    for (const entry of await readdir(path.join(this.#root, folder), { withFileTypes: true })) {
      const relative = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (!this.#kept.has(relative)) await rm(path.join(this.#root, relative), { recursive: true });
      else if (entry.isDirectory()) await this.#removeOthers(relative);
    }
  }

  #file(id: number): OpenFile {
    const file = this.#files.get(id);
    if (file === undefined) throw new Error(`the daemon sent the content of number ${id}, which was not asked for`);
    return file;
  }

  /**
   * Registers a new path and returns its absolute place. Throws when the path occurs twice, because the second one
   * could replace a checked folder with a link.
   */
  #claim(relative: string): string {
    const at = this.#place(relative);
    if (this.#kept.has(relative)) throw new Error(`the export has ${JSON.stringify(relative)} twice`);
    this.#kept.add(relative);
    return at;
  }

  /** Returns the absolute place of a path in the transfer. Throws when it would not be inside the folder. */
  #place(relative: string): string {
    const names = relative.split("/");
    const parent = names.slice(0, -1).join("/");
    if (names.some((name) => name === "" || name === "." || name === ".." || name.includes("\0"))) {
      throw new Error(`not a path inside the export: ${JSON.stringify(relative)}`);
    }
    if (parent !== "" && !this.#folders.has(parent))
      throw new Error(`the export has no folder for ${JSON.stringify(relative)}`);
    return path.join(this.#root, relative);
  }
}

function temporaryName(at: string): string {
  return path.join(path.dirname(at), `.fastloop-${randomBytes(8).toString("hex")}`);
}

/** Moves a file over whatever exists. Only a folder has to be removed first. */
async function replace(temporary: string, at: string): Promise<void> {
  try {
    const existing = await lstat(at).catch(() => undefined);
    if (existing?.isDirectory() === true) await rm(at, { recursive: true });
    await rename(temporary, at);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function seconds(stat: Stat): number {
  return Number(stat.modTimeNs) / 1e9;
}
