import { setTimeout } from "node:timers/promises";
import { UserError } from "../errors/index.ts";
import {
  askPast,
  brokenProjectSources,
  loadProject,
  ProjectScanner,
  selectTargets,
  type Past,
  type PastScan,
  type Project,
  type ProjectOptions,
  type ProjectPlace,
  type ProjectSnapshot,
  type WatchedPlace,
  type Selected,
  type Selection,
} from "../plan/index.ts";
import type { ContentHasher } from "../tree/index.ts";
import type { LoopOptions } from "./loop-options.ts";

export interface ReadProject extends Selected {
  project: Project;
}

/**
 * Holds the project as its configuration and module describe it. While they cannot be read, scans only the files that
 * describe them.
 */
export class ProjectReader {
  private readonly options: ProjectOptions;
  private readonly place: ProjectPlace;
  private readonly selection: Selection;
  private readonly hasher: ContentHasher;
  private sourcesDigest = "";
  private brokenScanner: ProjectScanner | undefined;
  private readNow: ReadProject | undefined;
  /** The last scan; set in a single run, until its first scan. */
  private past: PastScan | undefined;
  private keepLater: (() => void) | undefined;

  constructor(options: ProjectOptions, place: ProjectPlace, selection: Selection, hasher: ContentHasher) {
    this.options = options;
    this.place = place;
    this.selection = selection;
    this.hasher = hasher;
  }

  /** Undefined before the project is first read, and while it cannot be read. */
  get read(): ReadProject | undefined {
    return this.readNow;
  }

  /** Reads the project again. Throws what is wrong with it, and from then on scans the files that have to be fixed. */
  async readAgain(confirmTrust?: LoopOptions["confirmTrust"]): Promise<ReadProject> {
    try {
      let { project, sources } = await this.readWhole();
      let selected = await selectTargets(project, this.selection);
      const missing = selected.targets.flatMap(({ untrusted }) => untrusted);
      if (missing.length > 0 && (await confirmTrust?.(missing)) === true) {
        ({ project, sources } = await this.readWhole());
        selected = await selectTargets(project, this.selection);
      }
      this.sourcesDigest = digestOfSources(project, sources);
      this.brokenScanner = undefined;
      return (this.readNow = { project, ...selected });
    } catch (error) {
      this.readNow = undefined;
      this.brokenScanner = new ProjectScanner(await brokenProjectSources(this.options, this.place), this.hasher);
      throw error;
    }
  }

  /**
   * Reads the project and the sources that describe it. A save in between may be in one and not in the other, so a
   * young save repeats the reading.
   */
  private async readWhole(): Promise<{ project: Project; sources: ProjectSnapshot }> {
    const load = (): Promise<Project> => loadProject(this.options, this.hasher);
    for (let attempt = 1; ; attempt++) {
      const startedMs = Date.now();
      const project = await (this.past === undefined ? load() : this.past.loading(load));
      const sources = new ProjectScanner(project.sources, this.hasher).scan();
      // The number of attempts is limited, so that a program which writes all the time cannot keep everything from
      // running.
      if (attempt === readAttempts || !sources.hasYounger(startedMs - clockTickMs)) return { project, sources };
      await setTimeout(2 * clockTickMs);
    }
  }

  /**
   * Scans the folders of these paths, or everything; `beforeRead` is called with each folder just before it is read.
   */
  scan(changed?: ReadonlySet<string>, beforeRead?: (folder: WatchedPlace) => void): ProjectSnapshot {
    const scanner = this.readNow?.project.scanner ?? this.brokenScanner;
    if (scanner === undefined) throw new UserError("config", "the project has not been read yet");
    return scanner.scan(changed, beforeRead);
  }

  /**
   * Starts to check, before a single run reads the project, whether anything changed since the last scan; `past` is a check
   * that has been started already.
   */
  askPast(past: Past = askPast(this.options, this.place.state)): void {
    this.past = past.scan;
  }

  /** Scans after the project was read. A single run takes over the results of the last scan if nothing changed since. */
  async firstScan(beforeRead?: (folder: WatchedPlace) => void): Promise<ProjectSnapshot> {
    const { past } = this;
    this.past = undefined;
    if (past === undefined || this.readNow === undefined) return this.scan(undefined, beforeRead);
    const { scanner } = this.readNow.project;
    const { snapshot, keep } = await past.scan(scanner, (seen) => scanner.scanNoting(seen));
    if (!snapshot.isAsFound) this.keepLater = keep;
    return snapshot;
  }

  /** Saves hashes, and the first scan of a single run for the next command. */
  save(): void {
    this.hasher.save();
    this.keepLater?.();
    this.keepLater = undefined;
  }

  /** Reports whether an absolute path can affect any target or the project itself. */
  concerns(file: string): boolean {
    return (this.readNow?.project.scanner ?? this.brokenScanner)?.concerns(file) ?? true;
  }

  /** Marks the project as outdated, so that the next scan reads it again. */
  outdate(): void {
    this.sourcesDigest = "";
  }

  /** Reports whether configuration or module differ from those that were read. */
  isOutdated(snapshot: ProjectSnapshot): boolean {
    return this.readNow === undefined || digestOfSources(this.readNow.project, snapshot) !== this.sourcesDigest;
  }
}

const readAttempts = 5;
/** Granularity of file times, which the kernel takes from a coarse clock. */
const clockTickMs = 10;

function digestOfSources(project: Project, snapshot: ProjectSnapshot): string {
  return project.sources.map((source) => snapshot.digest(source)).join(" ");
}
