import { Worker } from "node:worker_threads";
import { positionIn } from "../positions.ts";
import type { TreeEntry } from "../types.ts";

/** With fewer files, a thread costs more than it saves. */
export const worthwhileFiles = 20_000;
/** Number of fields per file: mode, size, mtime, ctime, inode, uid, gid. */
const fields = 7;
const regularFileType = 0o100_000n;
const typeMask = 0o170_000n;

/** State of a file; whoever reaches it first reads it. */
const untouched = 0;
const seen = 1;
const leftOut = 2;

/**
 * A second thread that stats the files of the last scan from last to first, while the scan comes from the other end;
 * they meet somewhere, and neither waits. Its results are as valid as the scan's: one `lstat` after the command has
 * started. Not for a watch, where a file must be read after its folder is watched.
 */
export class StatAhead {
  private readonly paths: readonly string[];
  private readonly worker: Worker;
  /** State of each file: `untouched`, `seen` by the thread, or `leftOut` because the scan read it itself. */
  private readonly states: Uint8Array;
  private readonly numbers: BigInt64Array;
  private next = 0;
  /** Resolves when the thread has ended: it has seen all files, or met the scan. */
  readonly ended: Promise<void>;

  /** `paths` are relative to `root`, and in the order of a listing. */
  constructor(root: string, paths: readonly string[]) {
    this.paths = paths;
    this.states = new Uint8Array(new SharedArrayBuffer(paths.length));
    this.numbers = new BigInt64Array(new SharedArrayBuffer(paths.length * fields * 8));
    const names = new TextEncoder().encode(paths.join("\0"));
    const workerData = { root, names, count: paths.length, states: this.states, numbers: this.numbers };
    this.worker = new Worker(program, {
      eval: true,
      workerData,
      transferList: [names.buffer],
      execArgv: [],
      stderr: true,
    });
    this.worker.on("error", () => undefined);
    this.ended = new Promise((resolve) => this.worker.once("exit", () => resolve()));
    this.worker.unref();
  }

  /**
   * Returns the file as the thread saw it; undefined if it has not, or saw no regular file. Faster when called in the
   * listing's order.
   */
  file(path: string): TreeEntry | undefined {
    const { paths, numbers } = this;
    let at = this.next;
    if (paths[at] !== path) {
      at = positionIn(paths, path);
      this.next = at;
      if (paths[at] !== path) return undefined;
    }
    this.next = at + 1;
    if (Atomics.compareExchange(this.states, at, untouched, leftOut) !== seen) return undefined;
    const from = at * fields;
    const mode = numbers[from]!;
    const mtimeNs = numbers[from + 2]!;
    if ((mode & typeMask) !== regularFileType) return undefined;
    return {
      path,
      type: "file",
      mode: Number(mode) & 0o7777,
      sizeBytes: Number(numbers[from + 1]),
      mtimeNs,
      ctimeNs: numbers[from + 3] === mtimeNs ? mtimeNs : numbers[from + 3]!,
      inode: BigInt.asUintN(64, numbers[from + 4]!),
      uid: Number(numbers[from + 5]),
      gid: Number(numbers[from + 6]),
    };
  }

  /** Ends the thread wherever it is. */
  stop(): void {
    this.states.fill(leftOut);
  }
}

/** Program of the thread; self-contained, so that it needs no file beside the bundle. */
const program = `
const { workerData } = require("node:worker_threads");
const { lstatSync } = require("node:fs");
const { root, names, count, states, numbers } = workerData;
const bytes = Buffer.from(names.buffer);
let end = bytes.length;
for (let at = count - 1; at >= 0; at--) {
  const start = end <= 0 ? 0 : bytes.lastIndexOf(0, end - 1) + 1;
  if (Atomics.load(states, at) === ${untouched}) {
    let stats;
    try {
      stats = lstatSync(root + "/" + bytes.utf8Slice(start, end), { bigint: true, throwIfNoEntry: false });
    } catch {}
    if (stats !== undefined) {
      numbers.set([stats.mode, stats.size, stats.mtimeNs, stats.ctimeNs, stats.ino, stats.uid, stats.gid], at * ${fields});
      Atomics.compareExchange(states, at, ${untouched}, ${seen});
    }
  }
  end = start - 1;
}
`;
