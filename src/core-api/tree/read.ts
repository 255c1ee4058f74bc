import path from "node:path/posix";
import type { Ref, RefStat, Build } from "../../buildkit/types.ts";
import { ApiError } from "../values/errors.ts";
import type { Call } from "../request/call.ts";
import type { Tree } from "../values/values.ts";

/** Bits of Go's `os.FileMode` in a `RefStat`, above the permissions. */
const folderBit = 2 ** 31;
const symlinkBit = 2 ** 27;
const otherTypeBits = 2 ** 26 + 2 ** 25 + 2 ** 24 + 2 ** 21 + 2 ** 19;

/** Dagger's limit on the contents of a file. */
export const maxReadBytes = 128 * 1024 * 1024;

/** Fits into one gRPC message. */
const pieceBytes = 3 * 1024 * 1024;

export type FileKind = "REGULAR" | "DIRECTORY" | "SYMLINK" | "UNKNOWN";

export function kindOf(stat: RefStat): FileKind {
  const mode = stat.mode >>> 0;
  if (hasBit(mode, folderBit)) return "DIRECTORY";
  if (hasBit(mode, symlinkBit)) return "SYMLINK";
  return (mode & otherTypeBits) === 0 ? "REGULAR" : "UNKNOWN";
}

const setIdBits = [
  [2 ** 23, 0o4000],
  [2 ** 22, 0o2000],
  [2 ** 20, 0o1000],
] as const;

/** Returns the twelve bits that `chmod` sets. */
export function permissionsOf(stat: RefStat): number {
  const mode = stat.mode >>> 0;
  return setIdBits.reduce((sum, [bit, own]) => (hasBit(mode, bit) ? sum | own : sum), mode & 0o777);
}

function hasBit(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}

/** Reads one evaluated tree through BuildKit's gateway. */
export class TreeReader {
  private readonly build: Build;
  private readonly ref: Ref | undefined;

  constructor(build: Build, ref: Ref | undefined) {
    this.build = build;
    this.ref = ref;
  }

  /** Lists a folder's children in name order. Links on the way to the folder are followed. */
  async list(folder: string): Promise<RefStat[]> {
    if (this.ref === undefined) {
      if (folder === "/") return [];
      throw notFound("open", folder);
    }
    try {
      const entries = await this.build.readDir(this.ref, folder);
      return entries
        .map((entry) => ({ entry, bytes: Buffer.from(entry.path) }))
        .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
        .map(({ entry }) => entry);
    } catch (error) {
      throw readError("open", folder, error);
    }
  }

  /**
   * Returns undefined when nothing is at the path. Below a file it does the same, unless `throughFile` asks it to throw
   * there, as the kernel does.
   */
  async stat(name: string, followLinks = true, throughFile?: "throws"): Promise<RefStat | undefined> {
    if (this.ref === undefined) return name === "/" ? emptyRoot : undefined;
    try {
      if (followLinks || name === "/") return await this.build.statFile(this.ref, name);
      const children = await this.build.readDir(this.ref, path.dirname(name));
      return children.find((child) => path.basename(child.path) === path.basename(name));
    } catch (error) {
      if (isMissing(error) && !(throughFile !== undefined && /not a directory/i.test((error as Error).message)))
        return undefined;
      throw readError("stat", name, error);
    }
  }

  /** Reads a whole file. Throws an `ApiError` when it has more than `maxBytes`. */
  async read(name: string, maxBytes = maxReadBytes): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const piece of this.pieces(name)) {
      sizeBytes += piece.length;
      if (sizeBytes > maxBytes)
        throw new ApiError(`read ${name}: it has more than ${maxBytes} bytes, the limit for reading it as a whole`);
      pieces.push(piece);
    }
    return pieces.length === 1 ? Buffer.from(pieces[0]!) : Buffer.concat(pieces);
  }

  async *pieces(name: string): AsyncGenerator<Uint8Array> {
    if (this.ref === undefined) throw notFound("open", name);
    for (let offset = 0; ; offset += pieceBytes) {
      let piece: Uint8Array;
      try {
        piece = await this.build.readFile(this.ref, name, { offset, length: pieceBytes });
      } catch (error) {
        throw readError("open", name, error);
      }
      if (piece.length > 0) yield piece;
      if (piece.length < pieceBytes) return;
    }
  }

  /**
   * Walks everything below a folder in name order, with each folder before its content. Paths are relative, and links
   * are not followed.
   */
  async *walk(
    folder: string,
    enter: (relative: string) => boolean = () => true,
  ): AsyncGenerator<RefStat & { relative: string }> {
    const stack = [{ below: "", entries: (await this.list(folder)).values() }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { value: entry, done } = top.entries.next();
      if (done === true) {
        stack.pop();
        continue;
      }
      const relative = top.below === "" ? path.basename(entry.path) : `${top.below}/${path.basename(entry.path)}`;
      yield { ...entry, relative };
      if (kindOf(entry) === "DIRECTORY" && enter(relative)) {
        stack.push({ below: relative, entries: (await this.list(path.join(folder, relative))).values() });
      }
    }
  }
}

/** Evaluates a tree and passes a reader of it to `use`. */
export async function withTree<T>(call: Call, tree: Tree, use: (reader: TreeReader) => Promise<T>): Promise<T> {
  return await call.session.evaluate(call, tree, async (build, ref) => await use(new TreeReader(build, ref)));
}

const emptyRoot: RefStat = {
  path: "/",
  mode: folderBit + 0o755,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  modTime: 0n,
  linkname: "",
};

export function notFound(operation: string, name: string, cause?: unknown): ApiError {
  return new ApiError(`${operation} ${name}: no such file or directory`, {}, cause);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && /no such file or directory|not a directory|not found/i.test(error.message);
}

/** Rewrites an error in terms of the tree's own paths; BuildKit's are those of a temporary mount. */
function readError(operation: string, name: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (/no such file or directory/i.test(error.message)) return notFound(operation, name, error);
  if (/not a directory/i.test(error.message)) return new ApiError(`${operation} ${name}: not a directory`, {}, error);
  if (/is a directory|not a regular file/i.test(error.message))
    return new ApiError(`read ${name}: is a directory`, {}, error);
  return new ApiError(`${operation} ${name}: ${error.message}`, {}, error);
}
