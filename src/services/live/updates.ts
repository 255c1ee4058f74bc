/** Turns edits of the project into updates of its running services. */
import { readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import { readRegular } from "../../paths/index.ts";
import { ProjectScanner, selectionOf, type ProjectSnapshot, type ScannedInput } from "../../plan/index.ts";
import type { ProjectState } from "../../state/index.ts";
import { diffListings, type ContentHasher, type TreeEntry, type TreeListing } from "../../tree/index.ts";
import { Watcher, type SettledHints } from "../../watch/index.ts";
import type { Edit } from "./line.ts";
import { actions, decide, type Decision, type LiveRules } from "./rules.ts";

/** Larger changes are not written into a container; the container is rebuilt. */
const mostFiles = 1_000;
const mostBytes = 32 * 1024 * 1024;

/** Update of one service after files changed. */
export interface Update {
  action: Exclude<Decision["action"], "none">;
  edits: Edit[];
  commands: string[];
  /** Changed files, relative to the project. */
  files: string[];
}

export interface LiveOptions {
  root: string;
  state: ProjectState;
  hasher: ContentHasher;
  /** Patterns of files that are in no service. */
  exclude: readonly string[];
  described: Rules;
  apply(name: string, update: Update): void;
  /**
   * Called when the configuration or the module was edited; `touched` are services that have to be rebuilt for one of
   * these files.
   */
  onSources(files: readonly string[], touched: ReadonlySet<string>): void;
  onNotice(text: string): void;
}

/** The services' rules, and the files that the rules were read from. */
export interface Rules {
  rules: ReadonlyMap<string, LiveRules>;
  /** Files of configuration and module; editing them changes the rules. */
  sources: readonly ScannedInput[];
}

/** Watches the project and applies each settled change to the services that it affects. */
export class LiveUpdates {
  private readonly options: LiveOptions;
  private readonly input: ScannedInput;
  private described: Rules;
  private scanner: ProjectScanner;
  private readonly watcher: Watcher;
  private listing: TreeListing;
  private digests: readonly string[];

  /** Starts watching. Every edit after the constructor's own scan is reported. */
  constructor(options: LiveOptions) {
    this.options = options;
    this.input = { kind: "directory", path: options.root, filter: { exclude: options.exclude } };
    this.described = options.described;
    this.scanner = this.scannerOf(this.described);
    this.watcher = new Watcher({
      root: options.root,
      state: options.state,
      onSettled: (hints) => this.look(hints),
      concerns: (file) => this.scanner.concerns(file),
      onNotice: options.onNotice,
      fingerprint: () => this.scanner.scan().digest(this.input),
    });
    const snapshot = this.scanner.scan(undefined, this.watcher.beforeRead);
    this.listing = this.listingOf(snapshot);
    this.digests = this.digestsOf(snapshot);
    // Contents are hashed now, so that a later `touch` without a change is not taken for an edit.
    for (const entry of this.listing.entries) if (entry.type === "file") this.hash(entry);
    this.watcher.watch(snapshot.folders(), { rescan: false });
  }

  /** Replaces the rules. Their sources may have been edited since they were read, so the watcher scans again. */
  describe(described: Rules): void {
    const known = new Map(this.described.sources.map(({ path }, index) => [path, this.digests[index]]));
    this.described = described;
    this.scanner = this.scannerOf(described);
    const snapshot = this.scanner.scan(undefined, this.watcher.beforeRead);
    const digests = this.digestsOf(snapshot);
    this.digests = described.sources.map(({ path }, index) => known.get(path) ?? digests[index]!);
    this.watcher.watch(snapshot.folders());
  }

  close(): void {
    this.watcher.close();
  }

  private scannerOf({ sources }: Rules): ProjectScanner {
    return new ProjectScanner([this.input, ...sources], this.options.hasher);
  }

  private digestsOf(snapshot: ProjectSnapshot): string[] {
    return this.described.sources.map((source) => snapshot.digest(source));
  }

  private hash(entry: TreeEntry): string | undefined {
    try {
      return this.options.hasher.hash(this.options.root, entry);
    } catch {
      return undefined;
    }
  }

  private listingOf(snapshot: ProjectSnapshot): TreeListing {
    const listing = snapshot.listing(this.input);
    if (listing === undefined)
      throw new UserError("usage", "the project's folder no longer exists", { place: this.options.root });
    return listing;
  }

  private look(hints: SettledHints): void {
    try {
      const changed = hints.everywhere === undefined ? hints.paths : undefined;
      const snapshot = this.scanner.scan(changed, this.watcher.beforeRead);
      const now = this.listingOf(snapshot);
      const before = this.listing;
      this.listing = now;
      this.watcher.watch(snapshot.folders());
      const { hasher, root } = this.options;
      const changes = diffListings(before, now, (old, entry) => {
        const known = hasher.earlierHash(root, old);
        return known !== undefined && known === this.hash(entry);
      });
      const present = [...changes.added, ...changes.changed.map(({ after }) => after)];
      const isSource = this.editedSources(snapshot);
      for (const [name, rules] of this.described.rules) {
        const others = (entries: readonly TreeEntry[]): TreeEntry[] => entries.filter((entry) => !isSource(entry.path));
        this.update(name, rules, others(present), others(changes.removed));
      }
      if (isSource === noSource) return;
      const files = [...present, ...changes.removed].map((entry) => entry.path).filter(isSource);
      const holds = (rules: LiveRules): boolean => files.some((file) => decide(rules, file).action === "rebuild");
      const touched = [...this.described.rules].filter(([, rules]) => holds(rules)).map(([name]) => name);
      this.options.onSources(files, new Set(touched));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.options.onNotice(error.format());
    }
  }

  /**
   * Returns a test for files (relative to the project) of the configuration or module inputs that changed since the
   * last scan.
   */
  private editedSources(snapshot: ProjectSnapshot): (file: string) => boolean {
    const { sources } = this.described;
    const digests = this.digestsOf(snapshot);
    const edited = sources.filter((_source, index) => digests[index] !== this.digests[index]);
    this.digests = digests;
    if (edited.length === 0) return noSource;
    const tests = edited.map(selectionOf);
    const root = realpathSync.native(this.options.root);
    return (file) => tests.some((test) => test(path.join(root, file)));
  }

  private update(name: string, rules: LiveRules, present: readonly TreeEntry[], removed: readonly TreeEntry[]): void {
    const found = [
      ...removed.toReversed().map((entry) => ({ entry, isGone: true, decision: decide(rules, entry.path) })),
      ...present.map((entry) => ({ entry, isGone: false, decision: decide(rules, entry.path) })),
    ].filter(
      ({ decision, entry }) =>
        decision.action !== "none" && (entry.type !== "directory" || decision.place !== undefined),
    );
    if (found.length === 0) return;
    const worst = Math.max(...found.map(({ decision }) => actions.indexOf(decision.action)));
    const files = found.map(({ entry }) => entry.path);
    const bytes = found.reduce((sum, { entry, isGone }) => sum + (isGone ? 0 : entry.sizeBytes), 0);
    if (actions[worst] === "rebuild" || found.length > mostFiles || bytes > mostBytes)
      return this.options.apply(name, { action: "rebuild", edits: [], commands: [], files });
    const edits = found.flatMap(({ entry, isGone, decision }) =>
      decision.place === undefined ? [] : this.editOf(entry, isGone, decision.place),
    );
    const commands = [...new Set(found.flatMap(({ decision }) => decision.commands))];
    this.options.apply(name, { action: actions[worst] as Update["action"], edits, commands, files });
  }

  /** Returns no edit for a file that has gone since it was listed; the next scan reports its removal. */
  private editOf(entry: TreeEntry, isGone: boolean, place: { root: string; path: string }): Edit[] {
    if (isGone) return [{ action: "remove", ...place }];
    const file = path.join(this.options.root, entry.path);
    try {
      if (entry.type === "directory") return [{ action: "folder", ...place, mode: entry.mode }];
      if (entry.type === "symlink") return [{ action: "link", ...place, target: readlinkSync(file) }];
      return [
        {
          action: "put",
          ...place,
          mode: entry.mode,
          content: readRegular(file, { maxBytes: mostBytes, follow: false }),
        },
      ];
    } catch {
      return [];
    }
  }
}

const noSource = (): boolean => false;
