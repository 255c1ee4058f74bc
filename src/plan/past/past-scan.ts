/**
 * Takes over the results of the last scan if nothing that it read has changed. While the command reads the project, a helper
 * (tools/confine/look.go) checks every folder and file of the last scan, on all cores and without a Node object for each. If
 * its digest equals that of the scan, a new scan would see the same. In all other cases the files are scanned.
 */
import { spawn } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import process from "node:process";
import { confineProgram } from "../../module/index.ts";
import { buildId, recordingDuring } from "../../paths/index.ts";
import { ScanRecorder } from "../../tree/index.ts";
import type { ProjectState } from "../../state/index.ts";
import type { ProjectScanner } from "../scan/project-scan.ts";
import type { ProjectSnapshot } from "../scan/project-snapshot.ts";

/** With fewer files and folders, a scan takes no longer than starting the helper. */
const worthwhileEntries = 1500;

/** `FASTLOOP_PAST_SCAN`: `never` always scans, `always` starts the helper in small projects, too. */
const variable = "FASTLOOP_PAST_SCAN";

function leastEntries(): number {
  const wanted = process.platform === "linux" ? process.env[variable] : "never";
  return wanted === "never" ? Number.POSITIVE_INFINITY : wanted === "always" ? 0 : worthwhileEntries;
}

/** Stored as a line of JSON in front of the list. */
interface Stored {
  version: 1;
  /** Digest of the inputs, their filters and real paths, and the build of fastloop. */
  key: string;
  /** Digest of what the scan saw. */
  seen: string;
  /** Digests of the inputs in the order of the scanner's places; null for a digest that was not computed. */
  digests: (string | null)[];
  /** Digests of what was read to load the project, and of what was seen of it, if the list begins with that. */
  load?: string[] | undefined;
}

/** File names in the state: that of the project, and those of calls, of which the newest are kept. */
const projectName = "scan";
const callShape = /^scan-[0-9a-f]{16}$/;
const keptCalls = 8;

/** The helper answers for the moment when it was asked; results older than this are not taken over. */
const longestMs = 5000;

export class PastScan {
  private readonly state: ProjectState;
  private readonly name: string;
  private readonly stored: Stored | undefined;
  private readonly answer: Promise<string | undefined>;
  private readonly askedMs = performance.now();
  private recorder: ScanRecorder | undefined;
  private load: string[] | undefined;
  private kept: string | undefined;

  private constructor(
    state: ProjectState,
    name: string,
    asked: { stored: Stored; answer: Promise<string | undefined> } | undefined,
  ) {
    this.state = state;
    this.name = name;
    this.stored = asked?.stored;
    this.answer = asked?.answer ?? Promise.resolve(undefined);
  }

  /** Deletes the stored scans of this project. */
  static forget(state: ProjectState): void {
    state.remove(".", [projectName, ...state.names(".", callShape)]);
  }

  /** Starts the helper if a scan is stored. `words` identify a call; undefined stands for the project as a whole. */
  static ask(state: ProjectState, words?: readonly string[]): PastScan {
    const name =
      words === undefined
        ? projectName
        : `scan-${createHmac("sha256", state.hashKey).update(JSON.stringify(words)).digest("hex").slice(0, 16)}`;
    if (leastEntries() === Number.POSITIVE_INFINITY) return new PastScan(state, name, undefined);
    const asked = state.readThen(".", name, (body, descriptor) => {
      const start = body.indexOf("\n") + 1;
      const stored = parse(body.toString("utf8", 0, start));
      if (stored === undefined) return undefined;
      return { stored, answer: look(descriptor, start, body.length) };
    });
    return new PastScan(state, name, asked);
  }

  /** Whether a scan is stored, so that the helper checks the files. */
  get isAsked(): boolean {
    return this.stored !== undefined;
  }

  /** Loads the project with `load`, and records what that reads in front of what the scan will read. */
  async loading<T>(load: () => Promise<T>): Promise<T> {
    const seen = this.seen();
    const loaded = await recordingDuring(seen, load);
    this.load = seen?.doubt === undefined ? seen?.items() : undefined;
    return loaded;
  }

  /**
   * Returns what identifies everything that was read to load the project and to scan its files, if that is known and still
   * as it was.
   */
  async unchanged(): Promise<string | undefined> {
    const { stored } = this;
    if (stored?.load === undefined || performance.now() - this.askedMs > longestMs) return undefined;
    return (await this.answer) === stored.seen ? stored.seen : undefined;
  }

  /** Returns the same of what this command has read itself, if the next one can check it. */
  async read(): Promise<string | undefined> {
    if (this.kept !== undefined) return this.kept;
    // Files may have changed between the helper's answer and the load.
    const known = new Set(this.stored?.load);
    return this.load?.every((item) => known.has(item)) === true ? await this.unchanged() : undefined;
  }

  /**
   * Returns the results of the stored scan; undefined if the files have to be scanned, as after a question to the user or
   * a wait for another process, during which files may have changed.
   */
  async snapshot(scanner: ProjectScanner): Promise<ProjectSnapshot | undefined> {
    const { stored } = this;
    if (stored === undefined || performance.now() - this.askedMs > longestMs) return undefined;
    if (keyOf(scanner.key) !== stored.key || (await this.answer) !== stored.seen) return undefined;
    const digests = stored.digests.map((digest) => digest ?? undefined);
    return scanner.asFound(digests, this.seen());
  }

  /**
   * Takes over the stored scan, or scans with `scan`, which records in `seen`. Call `keep` when the snapshot's digests have
   * been computed: it stores them for the next command.
   */
  async scan(
    scanner: ProjectScanner,
    scan: (seen: ScanRecorder | undefined) => ProjectSnapshot,
  ): Promise<{ snapshot: ProjectSnapshot; keep: () => void }> {
    const found = await this.snapshot(scanner);
    const seen = this.seen();
    const snapshot = found ?? scan(seen);
    // Later scans may follow links elsewhere.
    const { key } = scanner;
    return { snapshot, keep: () => this.keep(key, snapshot, seen) };
  }

  /** Returns the recorder of the scan that is to be stored; undefined if none is to be stored. */
  seen(): ScanRecorder | undefined {
    return leastEntries() === Number.POSITIVE_INFINITY ? undefined : (this.recorder ??= new ScanRecorder());
  }

  /**
   * Stores a scan with the digests that were computed; `key` is the scanner's just after the scan, as later scans may
   * follow links elsewhere. Does nothing if `seen` is undefined, if the stored results were enough, or if the scan cannot be
   * repeated.
   */
  keep(key: unknown, snapshot: ProjectSnapshot, seen: ScanRecorder | undefined): void {
    if (seen === undefined || snapshot.isAsFound || snapshot.size < leastEntries() || buildId() === "") return;
    const digests = snapshot.settledDigests();
    if (digests === undefined || seen.doubt !== undefined) return;
    const { list, digest } = seen.result();
    if (seen.doubt !== undefined) return;
    const stored: Stored = {
      version: 1,
      key: keyOf(key),
      seen: digest,
      digests: digests.map((one) => one ?? null),
      load: this.load,
    };
    const isWritten = this.state.write(".", this.name, [Buffer.from(`${JSON.stringify(stored)}\n`), list]);
    if (isWritten && this.load !== undefined) this.kept = digest;
    if (callShape.test(this.name)) this.state.keepNewest(".", callShape, keptCalls);
  }
}

function keyOf(key: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify([buildId(), key]))
    .digest("hex");
}

/** Parses the first line. The seal was verified, but another version of fastloop may have written it. */
function parse(line: string): Stored | undefined {
  try {
    const stored = JSON.parse(line) as Stored;
    return stored.version === 1 ? stored : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the helper's digest for the list between these bytes of the file; undefined without a helper, or if it fails. */
function look(descriptor: number, start: number, end: number): Promise<string | undefined> {
  const program = helper();
  if (program === undefined) return Promise.resolve(undefined);
  return new Promise<string | undefined>((resolve) => {
    const child = spawn(program, ["look", String(start), String(end)], {
      cwd: "/",
      env: {},
      stdio: [descriptor, "pipe", "ignore"],
    });
    let text = "";
    child.once("error", () => resolve(undefined));
    child.once("close", (code) => resolve(code === 0 ? text.trim() : undefined));
    // Without free descriptors there is no pipe.
    child.stdout?.setEncoding("latin1").on("data", (piece: string) => (text += piece));
  }).catch(() => undefined);
}

/** Returns the helper; undefined if it is missing or was changed, which is reported where function bodies need it. */
function helper(): string | undefined {
  try {
    return confineProgram();
  } catch {
    return undefined;
  }
}
