/**
 * What commands that only read have found, valid as long as nothing that they read has changed. Two parts tell that: the
 * check of a past scan (`PastScan.unchanged`), whose list also has what was read to load the project, and the times of the
 * folders of the state that hold records.
 */
import { createHmac } from "node:crypto";
import { availableParallelism } from "node:os";
import process from "node:process";
import { buildId, filesPrintedTo, packageRoot } from "../../paths/index.ts";
import type { ProjectState } from "../../state/index.ts";
import { isSettled } from "../../tree/index.ts";
import type { ProjectOptions } from "../project.ts";
import { PastScan } from "./past-scan.ts";

/**
 * Variables that belong to a terminal or to one command. They count only for functions that declare one, and results of
 * such a project are not stored.
 */
const ofTerminals: ReadonlySet<string> = new Set(
  [
    "_",
    "COLORTERM",
    "COLUMNS",
    "FORCE_COLOR",
    "LINES",
    "NO_COLOR",
    "OLDPWD",
    "PWD",
    "SHLVL",
    "TERM",
    "TERM_PROGRAM",
  ].concat(["TERM_PROGRAM_VERSION", "TERM_SESSION_ID", "TMUX", "TMUX_PANE", "TTY", "WINDOWID", "WT_SESSION"]),
);

/** Reports whether a variable does not count among the circumstances of a command. */
export const isOfTerminal = (variable: string): boolean => ofTerminals.has(variable);

/**
 * Returns a digest of everything beside files that decides how a project is loaded: the command line's options, the
 * environment, the build of fastloop. Keyed, as variables hold secrets.
 */
function circumstancesOf(options: ProjectOptions, state: ProjectState): string {
  const { environment = process.env, cwd, moduleDir, configFile, checks, engine, buildkitHost, trust } = options;
  const words = [cwd, moduleDir, configFile, checks, engine, buildkitHost, trust, options.placesOfAsks];
  const variables = Object.entries(environment)
    .filter(([name]) => !ofTerminals.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  // Expected times depend on the cores.
  const machine = [process.getuid?.(), availableParallelism()];
  return createHmac("sha256", state.hashKey)
    .update(JSON.stringify([buildId(), packageRoot(), machine, filesPrintedTo(), words, variables]))
    .digest("hex");
}

/** Folders of the state that plans read. The others only matter if something has to run. */
const always = ["runs", "reads"] as const;
const ifDue = ["history", "manifests"] as const;
type Stamped = (typeof always)[number] | (typeof ifDue)[number];
/** Undefined for a folder that changed too shortly ago. */
type Stamps = Record<Stamped, string | undefined>;

interface Stored {
  version: 1;
  /** Result of `PastScan.unchanged`. */
  seen: string;
  /** The newest first. */
  results: { circumstances: string; words: string[]; stamps: Partial<Stamps>; value: unknown }[];
}

/** The check of a past scan, and the results that belong to it. */
export interface Past {
  scan: PastScan;
  results: PastResults;
}

/** Starts the check of the last scan. Call it before anything is read. */
export function askPast(options: ProjectOptions, state: ProjectState): Past {
  const scan = PastScan.ask(state);
  return { scan, results: new PastResults(state, scan, circumstancesOf(options, state)) };
}

const fileName = "results";
const keptResults = 12;
/** Reading more takes longer than what it saves. */
const mostBytes = 1024 * 1024;

export class PastResults {
  private readonly state: ProjectState;
  private readonly past: PastScan;
  private readonly circumstances: string;
  private readonly stamps: Stamps;

  /** Create it before anything is read: the state may change meanwhile. */
  constructor(state: ProjectState, past: PastScan, circumstances: string) {
    this.state = state;
    this.past = past;
    this.circumstances = circumstances;
    this.stamps = Object.fromEntries([...always, ...ifDue].map((folder) => [folder, stampOf(state, folder)])) as Stamps;
  }

  /** Returns what the command with these words found; undefined if it has to look again. */
  async find(words: readonly string[]): Promise<unknown> {
    if (!this.past.isAsked) return undefined;
    const stored = this.stored();
    const found = stored?.results.find((one) => this.isOf(one, words));
    if (stored === undefined || found === undefined) return undefined;
    const isMoved = ([folder, stamp]: [string, string]): boolean => this.stamps[folder as Stamped] !== stamp;
    if (Object.entries(found.stamps).some(isMoved)) return undefined;
    return (await this.past.unchanged()) === stored.seen ? found.value : undefined;
  }

  /** Stores what the command found. `isDue`: whether that says more than that nothing has to run. */
  async keep(words: readonly string[], value: unknown, isDue: boolean): Promise<void> {
    const seen = await this.past.read();
    const folders: Stamped[] = [...always, ...(isDue ? ifDue : [])];
    if (seen === undefined || folders.some((folder) => this.stamps[folder] === undefined)) return;
    const before = this.stored();
    const others = before?.seen === seen ? before.results.filter((one) => !this.isOf(one, words)) : [];
    const stamps = Object.fromEntries(folders.map((folder) => [folder, this.stamps[folder]]));
    const { circumstances } = this;
    const results = [{ circumstances, words: [...words], stamps, value }, ...others].slice(0, keptResults);
    const stored: Stored = { version: 1, seen, results };
    let content = Buffer.from(JSON.stringify(stored));
    while (content.length > mostBytes && results.length > 1) {
      results.pop();
      content = Buffer.from(JSON.stringify(stored));
    }
    if (content.length <= mostBytes) this.state.write(".", fileName, [content]);
  }

  private isOf(one: Stored["results"][number], words: readonly string[]): boolean {
    const isSame = one.words.length === words.length && one.words.every((word, at) => word === words[at]);
    return isSame && one.circumstances === this.circumstances;
  }

  private stored(): Stored | undefined {
    const content = this.state.read(".", fileName);
    if (content === undefined) return undefined;
    try {
      const stored = JSON.parse(content.toString("utf8")) as Stored;
      return stored.version === 1 ? stored : undefined;
    } catch {
      return undefined; // The seal is valid, but another version wrote another format.
    }
  }
}

/**
 * Returns what changes with the names in a folder, and so with everything in it: files of the state are replaced, never
 * written to. Undefined if it changed so shortly ago that another change might not show.
 */
function stampOf(state: ProjectState, folder: Stamped): string | undefined {
  const times = state.timesOf(folder);
  if (times === undefined) return "none";
  return isSettled(times, BigInt(Date.now()) * 1_000_000n)
    ? `${times.ino} ${times.mtimeNs} ${times.ctimeNs}`
    : undefined;
}
