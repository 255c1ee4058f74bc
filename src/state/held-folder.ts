/**
 * A folder that is held open. Operations apply to that very folder, wherever its name leads by then: Node has no
 * `openat`, but on Linux `/proc/self/fd/N/name` does the same. Elsewhere the name is compared with the held folder
 * before each use, which leaves a moment between check and use.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
  linkSync,
  type BigIntStats,
  type Stats,
} from "node:fs";
import path from "node:path";
import process from "node:process";

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** A file's content, or why there is none: the file is absent, or it is nothing that fastloop would have written. */
export type Content = Buffer | "absent" | "unreadable";

let counter = 0;

export class HeldFolder {
  readonly stats: Stats;
  private readonly descriptor: number;
  private readonly path: string;
  private readonly byDescriptor: boolean;

  private constructor(descriptor: number, shownPath: string, byDescriptor: boolean) {
    this.descriptor = descriptor;
    this.path = shownPath;
    this.byDescriptor = byDescriptor;
    this.stats = fstatSync(descriptor);
  }

  /** Opens a folder that the user named, so links on the way to it are the user's own. `byDescriptor` is for tests. */
  static open(folder: string, byDescriptor = hasDescriptorPaths()): HeldFolder {
    return new HeldFolder(openSync(folder, O_RDONLY | O_DIRECTORY), folder, byDescriptor);
  }

  /** Opens a folder in this one, never through a link. Throws `ENOTDIR` or `ELOOP` if it is something else. */
  folder(name: string): HeldFolder {
    const shown = path.join(this.path, name);
    const descriptor = this.at(name, (file) => openSync(file, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return new HeldFolder(descriptor, shown, this.byDescriptor);
  }

  folderIfThere(name: string): HeldFolder | undefined {
    try {
      return this.folder(name);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Creates a folder; returns false if the name is already taken. */
  makeFolder(name: string): boolean {
    try {
      this.at(name, (file) => mkdirSync(file));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  }

  /** Returns the folder's own inode and times in nanoseconds, as they are now. */
  times(): BigIntStats {
    return fstatSync(this.descriptor, { bigint: true });
  }

  /** Returns the `lstat` result of an entry: a link itself, not its target. */
  look(name: string): Stats | undefined {
    return this.at(name, (file) => lstatSync(file, { throwIfNoEntry: false }));
  }

  /** Returns the names of the entries. */
  names(): string[] {
    return this.within(() => readdirSync(this.reach));
  }

  /** Returns the names that match `shape`, the newest file first. */
  namesByAge(shape: RegExp): string[] {
    return this.names()
      .filter((name) => shape.test(name))
      .map((name) => ({ name, mtimeMs: this.look(name)?.mtimeMs ?? 0 }))
      .sort((a, b) => b.mtimeMs - a.mtimeMs)
      .map(({ name }) => name);
  }

  /** Reads a regular file of at most `limitBytes`; never follows a link, and never blocks on a pipe or device. */
  read(name: string, limitBytes: number): Content {
    return this.readThen(name, limitBytes, (content) => content);
  }

  /** Reads like `read`, and passes the open file to `use` as well; closes it afterwards. */
  readThen<T>(
    name: string,
    limitBytes: number,
    use: (content: Buffer, descriptor: number) => T,
  ): T | Exclude<Content, Buffer> {
    let descriptor: number;
    try {
      descriptor = this.at(name, (file) => openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    } catch (error) {
      return codeOf(error) === "ENOENT" ? "absent" : "unreadable";
    }
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile() || stats.size > limitBytes) return "unreadable";
      const content = Buffer.allocUnsafe(stats.size);
      let filled = 0;
      for (let length = -1; filled < content.length && length !== 0; filled += length)
        length = readSync(descriptor, content, filled, content.length - filled, filled);
      return use(content.subarray(0, filled), descriptor);
    } catch {
      return "unreadable";
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * Writes a draft beside the target and renames it, so that a reader, or a crash, sees the old file or the new one.
   */
  write(name: string, pieces: readonly (Uint8Array | string)[], mode = 0o600): void {
    const draft = `${name}.${process.pid}.${counter++}.tmp`;
    const descriptor = this.at(draft, (file) => openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
    try {
      try {
        for (const piece of pieces) writeFileSync(descriptor, piece);
      } finally {
        closeSync(descriptor);
      }
      this.rename(draft, name);
    } catch (error) {
      this.remove(draft);
      throw error;
    }
  }

  /** Creates a file with all of its content at once; returns false if the name is already taken. */
  make(name: string, text: string, mode = 0o600): boolean {
    const draft = `${name}.${process.pid}.${counter++}.tmp`;
    const descriptor = this.at(draft, (file) => openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
    try {
      try {
        writeFileSync(descriptor, text);
      } finally {
        closeSync(descriptor);
      }
      this.at(draft, (from) => this.at(name, (to) => linkSync(from, to)));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    } finally {
      this.remove(draft);
    }
  }

  /** Opens a file for appending, new or existing; throws if it has another hard link elsewhere. */
  openForAppending(name: string): number {
    const descriptor = this.at(name, (file) =>
      openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600),
    );
    const stats = fstatSync(descriptor);
    if (stats.isFile() && stats.nlink === 1) return descriptor;
    closeSync(descriptor);
    throw Object.assign(new Error(`EEXIST: it is no file of its own, open '${path.join(this.path, name)}'`), {
      code: "EEXIST",
      syscall: "open",
      path: path.join(this.path, name),
    });
  }

  /** Renames an entry over another; an empty folder there is removed. */
  rename(from: string, to: string): void {
    const move = (): void => this.at(from, (source) => this.at(to, (target) => renameSync(source, target)));
    try {
      move();
    } catch (error) {
      if (!["EISDIR", "ENOTEMPTY", "EEXIST"].includes(String((error as NodeJS.ErrnoException).code))) throw error;
      this.at(to, (target) => rmdirSync(target));
      move();
    }
  }

  /** Deletes a file, link, pipe or empty folder, never a folder's content. Returns false if something stays. */
  remove(name: string): boolean {
    try {
      this.at(name, (file) => (lstatSync(file).isDirectory() ? rmdirSync(file) : unlinkSync(file)));
      return true;
    } catch (error) {
      return codeOf(error) === "ENOENT";
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private get reach(): string {
    if (this.byDescriptor) return `/proc/self/fd/${this.descriptor}`;
    const now = lstatSync(this.path, { throwIfNoEntry: false });
    if (now !== undefined && now.ino === this.stats.ino && now.dev === this.stats.dev) return this.path;
    // The folder that the user named may itself be a link.
    const target = statSync(this.path, { throwIfNoEntry: false });
    if (now?.isSymbolicLink() === true && target?.ino === this.stats.ino && target.dev === this.stats.dev)
      return this.path;
    throw Object.assign(new Error(`ESTALE: the folder was replaced, '${this.path}'`), {
      code: "ESTALE",
      syscall: "open",
      path: this.path,
    });
  }

  private at<T>(name: string, use: (file: string) => T): T {
    // Names come from files and listings; one that leads out of the folder is a bug.
    if (name === "" || name === "." || name === ".." || /[/\0]/.test(name))
      throw new Error(`${JSON.stringify(name)} is not a file name`);
    return this.within(() => use(`${this.reach}/${name}`));
  }

  /** Runs `use` with error messages that show the path as the user knows it. */
  private within<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      if (!(error instanceof Error) || !("path" in error) || !this.byDescriptor) throw error;
      const { reach } = this;
      const shown = (text: unknown): unknown =>
        typeof text === "string" ? text.replaceAll(reach, () => this.path) : text;
      throw Object.assign(error, { message: shown(error.message), path: shown(error.path) });
    }
  }
}

/** Returns the code of a system error; rethrows other errors, which are bugs. */
function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error) return String(error.code);
  throw error;
}

let descriptorPaths: boolean | undefined;

/** Reports whether `/proc/self/fd/N/` leads into an open folder: not on macOS, and not if /proc is not mounted. */
function hasDescriptorPaths(): boolean {
  if (descriptorPaths !== undefined) return descriptorPaths;
  const descriptor = openSync("/", O_RDONLY | O_DIRECTORY);
  try {
    const through = statSync(`/proc/self/fd/${descriptor}/.`, { throwIfNoEntry: false });
    const held = fstatSync(descriptor);
    return (descriptorPaths = process.platform === "linux" && through?.ino === held.ino && through.dev === held.dev);
  } catch {
    return (descriptorPaths = false);
  } finally {
    closeSync(descriptor);
  }
}
