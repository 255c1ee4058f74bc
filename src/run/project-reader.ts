import { setTimeout } from "node:timers/promises";
import { UserError } from "../errors/index.ts";
import {
  brokenProjectSources,
  loadProject,
  ProjectScanner,
  selectTargets,
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

/** Keeps the project as its configuration and module describe it; while they cannot be read, looks at them alone. */
export class ProjectReader {
  private readonly options: ProjectOptions;
  private readonly place: ProjectPlace;
  private readonly selection: Selection;
  private readonly hasher: ContentHasher;
  private sourcesDigest = "";
  private brokenScanner: ProjectScanner | undefined;
  private readNow: ReadProject | undefined;

  constructor(options: ProjectOptions, place: ProjectPlace, selection: Selection, hasher: ContentHasher) {
    this.options = options;
    this.place = place;
    this.selection = selection;
    this.hasher = hasher;
  }

  /** Undefined until it was read, and while it cannot be. */
  get read(): ReadProject | undefined {
    return this.readNow;
  }

  /** Reads it anew; throws what is wrong, and goes on to look at what has to be mended. */
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

  /** The project and its sources as it was read from: what is saved meanwhile may be in one and not in the other. */
  private async readWhole(): Promise<{ project: Project; sources: ProjectSnapshot }> {
    for (let attempt = 1; ; attempt++) {
      const startedMs = Date.now();
      const project = await loadProject(this.options, this.hasher);
      const sources = new ProjectScanner(project.sources, this.hasher).scan();
      // A program that writes there all the time must not keep everything from running.
      if (attempt === readAttempts || !sources.hasYounger(startedMs - clockTickMs)) return { project, sources };
      await setTimeout(2 * clockTickMs);
    }
  }

  /** Looks at the folders of these paths, or at everything; `beforeRead` is told each folder just before it is read. */
  scan(changed?: ReadonlySet<string>, beforeRead?: (folder: WatchedPlace) => void): ProjectSnapshot {
    const scanner = this.readNow?.project.scanner ?? this.brokenScanner;
    if (scanner === undefined) throw new UserError("config", "the project has not been read yet");
    return scanner.scan(changed, beforeRead);
  }

  /** Whether a path (absolute) has anything to do with what is kept true. */
  concerns(file: string): boolean {
    return (this.readNow?.project.scanner ?? this.brokenScanner)?.concerns(file) ?? true;
  }

  /** What it was read from counts no longer. */
  outdate(): void {
    this.sourcesDigest = "";
  }

  /** Whether configuration or module are others than those that were read. */
  isOutdated(snapshot: ProjectSnapshot): boolean {
    return this.readNow === undefined || digestOfSources(this.readNow.project, snapshot) !== this.sourcesDigest;
  }
}

const readAttempts = 5;
/** Times of files come from a clock that is this coarse. */
const clockTickMs = 10;

function digestOfSources(project: Project, snapshot: ProjectSnapshot): string {
  return project.sources.map((source) => snapshot.digest(source)).join(" ");
}
