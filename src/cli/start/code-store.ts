/** Stores V8's compiled code of the command line's chunks between processes, in one file in the user's state folder. */
import { hash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import process from "node:process";
import { stateHome } from "../../paths/index.ts";

/** Compiled code of one chunk. */
interface Kept {
  bytes: Buffer;
  /** SHA-256 of the bytes, as V8 crashes on code that a bad disk has corrupted. */
  digest: string;
  /** Number of processes that have added to it: each compiles the functions that it runs. */
  round: number;
}

interface Header {
  /** In the order of the file; lengths in bytes. */
  chunks: [name: string, length: number, digest: string, round: number][];
}

const magic = "fastloop-code 1\n";
/** After this many rounds, most functions that a process runs are compiled already. */
const lastRound = 3;
const maxBytes = 64 * 1024 * 1024;
/** Files of other builds and Node versions that were not written for this long are deleted. */
const keptMs = 30 * 24 * 3600 * 1000;

/**
 * Returns the store of this user for a build. Undefined when `NODE_DISABLE_COMPILE_CACHE` tells Node to cache no code.
 */
export function codeStoreOf(build: string): CodeStore | undefined {
  const { NODE_DISABLE_COMPILE_CACHE: disabled } = process.env;
  if (disabled !== undefined && disabled !== "") return undefined;
  return new CodeStore(path.join(stateHome(), "code"), `${build}-${process.version}-${process.arch}`);
}

/**
 * The stored code runs with all rights of the user. So it is in the user's state folder and never in a cache folder,
 * which pipelines tend to put into the project. A file that is missing, damaged, or owned or writable by others is
 * ignored.
 */
export class CodeStore {
  private readonly file: string;
  private readonly kept: ReadonlyMap<string, Kept>;

  /** `key` identifies what the code is valid for: the build and the Node version. */
  constructor(folder: string, key: string) {
    this.file = path.join(folder, key);
    this.kept = read(this.file);
  }

  codeOf(chunk: string): Buffer | undefined {
    const kept = this.kept.get(chunk);
    return kept !== undefined && digestOf(kept.bytes) === kept.digest ? kept.bytes : undefined;
  }

  /**
   * Stores the code of the chunks that this process used, unless enough processes have added to it. A failure costs
   * only time.
   */
  save(used: ReadonlyMap<string, { wasTaken: boolean; code: () => Buffer }>): void {
    const roundOf = (name: string): number => (used.get(name)!.wasTaken ? this.kept.get(name)!.round : 0);
    if ([...used.keys()].every((name) => roundOf(name) >= lastRound)) return;
    const temporary = `${this.file}.${process.pid}`;
    try {
      const all = new Map(this.kept);
      for (const [name, { code }] of used) {
        const bytes = code();
        all.set(name, { bytes, digest: digestOf(bytes), round: roundOf(name) + 1 });
      }
      const header: Header = {
        chunks: [...all].map(([name, { bytes, digest, round }]) => [name, bytes.length, digest, round]),
      };
      mkdirSync(path.dirname(this.file), { recursive: true, mode: 0o700 });
      if (this.kept.size === 0) dropOld(path.dirname(this.file));
      const content = [
        Buffer.from(`${magic}${JSON.stringify(header)}\n`),
        ...[...all.values()].map(({ bytes }) => bytes),
      ];
      writeFileSync(temporary, Buffer.concat(content), { mode: 0o600, flag: "wx" });
      renameSync(temporary, this.file);
    } catch {
      remove(temporary);
    }
  }
}

function read(file: string): ReadonlyMap<string, Kept> {
  const kept = new Map<string, Kept>();
  try {
    const content = readOwn(file);
    const end = content.indexOf("\n", magic.length);
    if (content.toString("latin1", 0, magic.length) !== magic || end < 0) return kept;
    const { chunks } = JSON.parse(content.toString("utf8", magic.length, end)) as Header;
    let at = end + 1;
    for (const [name, length, digest, round] of chunks)
      kept.set(name, { bytes: content.subarray(at, (at += length)), digest, round });
    return at === content.length ? kept : new Map();
  } catch {
    return new Map();
  }
}

function readOwn(file: string): Buffer {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size, uid, mode } = fstatSync(descriptor);
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0 || size > maxBytes) throw new Error(`${file} is not ours`);
    const content = Buffer.allocUnsafeSlow(size);
    if (readSync(descriptor, content, 0, size, 0) !== size) throw new Error(`${file} is being written`);
    return content;
  } finally {
    closeSync(descriptor);
  }
}

/** `rmSync` with `force` still throws when the parent is not a directory. */
function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // There is no file to remove.
  }
}

function dropOld(folder: string): void {
  const before = Date.now() - keptMs;
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (statSync(file).mtimeMs < before) rmSync(file, { force: true });
  }
}

const digestOf = (bytes: Buffer): string => hash("sha256", bytes, "hex");
