import {
  changedPaths,
  diffListings,
  listTree,
  literalPattern,
  sameStat,
  statEntry,
  type ContentHasher,
  type TreeEntry,
  type TreeFilter,
  type TreeListing,
} from "../../tree/index.ts";
import { batchFromSteps, canBatch, applyBatch } from "./batch.ts";
import { hostFile, applyRecipe } from "./chain.ts";
import { MovingFiles } from "./moving.ts";
import { recipeOf, type NewBaseReason, type TreeStep } from "./recipe.ts";
import { hiddenIn, onlySelected } from "./hidden.ts";
import { asUnknown, UnstableFiles } from "./unstable-files.ts";
import type { EngineSession, QueryOptions } from "../types.ts";

/** A host folder in the engine, exactly as it was listed. */
export interface SyncedTree {
  /** Id of the `Directory`. */
  id: string;
  listing: TreeListing;
  /** How the engine got it: sent whole, or by this many steps on the last snapshot. */
  via: { kind: "base"; reason: "first" | NewBaseReason } | { kind: "edits"; steps: number } | { kind: "same" };
  /** Paths that concern the caller and have changed since the listing that it passed. */
  moved: string[];
}

export interface SyncOptions extends QueryOptions {
  /** A recent listing with the same filter; saves listing the tree again. */
  listing?: TreeListing;
  /**
   * Reports whether a path below the root matters to the caller; by default all do. Others may change while they are
   * sent: they arrive in some state, or not at all.
   */
  concerns?: (path: string) => boolean;
}

export interface TreeSyncOptions {
  /**
   * Knows the base's content, so that a file that was edited and restored counts as unchanged. Without it such a file
   * is laid again, which is correct but misses the cache.
   */
  hasher?: ContentHasher;
}

interface Base {
  id: string;
  listing: TreeListing;
  hashes: Map<string, string> | undefined;
  /** Results laid on this base, keyed by recipe; the most recent ones, so that a state that returns needs no query. */
  laid: Map<string, string>;
}

/** Attempts at reading a tree that keeps changing before the caller gets an error. */
const readAttempts = 4;
/** Attempts if the changes concern nobody; each one leaves out what was seen to change. */
const unstableAttempts = 12;
const rememberedRecipes = 64;

/**
 * Host trees in one session. Each is sent once; afterwards an edit costs only what it changes. The whole difference to
 * the base is laid each time in one canonical order, never edit upon edit, and a large difference makes a new base. The
 * result always matches a listing: a file that changes meanwhile restarts the sync.
 */
export class TreeSync {
  private readonly session: EngineSession;
  private readonly hasher: ContentHasher | undefined;
  private readonly bases = new Map<string, Base>();
  /** One sync at a time for each tree, so that a second caller finds the first one's result. */
  private readonly queues = new Map<string, Promise<unknown>>();

  constructor(session: EngineSession, options: TreeSyncOptions = {}) {
    this.session = session;
    this.hasher = options.hasher;
  }

  /** Syncs the folder at `path` (absolute) as it is now, without what the filter leaves out. */
  directory(path: string, filter: TreeFilter = {}, options: SyncOptions = {}): Promise<SyncedTree> {
    const key = JSON.stringify([
      path,
      filter.include ?? [],
      filter.exclude ?? [],
      filter.gitignore ?? false,
      filter.leaveOut ?? "",
    ]);
    const before = this.queues.get(key) ?? Promise.resolve();
    const run = before.then(() => this.sync(key, path, filter, options));
    this.queues.set(
      key,
      run.catch(() => undefined),
    );
    return run;
  }

  /** Sends every tree whole at its next sync; call it after a failure for which `fileReadAgain` returns a file. */
  forget(): void {
    this.bases.clear();
  }

  /** Returns one host file as it is now. */
  async file(path: string, options: QueryOptions = {}): Promise<{ id: string }> {
    return { id: await hostFile(this.session, path, options) };
  }

  private async sync(key: string, path: string, filter: TreeFilter, options: SyncOptions): Promise<SyncedTree> {
    const given = options.listing ?? listTree(path, filter);
    const unstable = new UnstableFiles(onlySelected(given.root, filter, options.concerns));
    let listing = given;
    for (
      let attempt = 1;
      unstable.concerned.length === 0 ? attempt <= unstableAttempts : attempt <= readAttempts;
      attempt++
    ) {
      options.signal?.throwIfAborted();
      const synced = await this.attempt(key, filter, listing, unstable, options);
      if (synced !== undefined) return { ...synced, listing, moved: this.movedSince(given, listing, options) };
      listing = listTree(path, filter);
    }
    throw new MovingFiles(given.root, unstable.concerned.length > 0 ? unstable.concerned : unstable.paths);
  }

  /** Returns undefined if something changed meanwhile that must not. */
  private async attempt(
    key: string,
    filter: TreeFilter,
    listing: TreeListing,
    unstable: UnstableFiles,
    options: SyncOptions,
  ): Promise<Pick<SyncedTree, "id" | "via"> | undefined> {
    const known = this.bases.get(key);
    const steps = known === undefined ? { newBase: "first" as const } : this.difference(known, listing);
    if (known !== undefined && Array.isArray(steps)) return this.lay(known, listing, filter, steps, unstable, options);
    if (Array.isArray(steps)) return undefined;
    const base = await this.send(key, filter, listing, unstable, options);
    if (base === undefined) return undefined;
    const via = { kind: "base", reason: steps.newBase } as const;
    // What was left out is laid on the base, if it is small enough.
    const rest = unstable.paths.length === 0 ? [] : this.difference(base, listing);
    if (!Array.isArray(rest) || rest.length === 0) return { id: base.id, via };
    const laid = await this.lay(base, listing, filter, rest, unstable, options);
    return laid && { id: laid.id, via };
  }

  private difference(base: Base, listing: TreeListing): TreeStep[] | { newBase: NewBaseReason } {
    const { hashes } = base;
    const changes = diffListings(base.listing, listing, (before, after) => {
      const known = hashes?.get(before.path);
      return known !== undefined && known === this.hasher?.hash(listing.root, after);
    });
    return recipeOf(changes, listing.entries.length);
  }

  /** Returns the paths that concern the caller and differ between the two listings. */
  private movedSince(given: TreeListing, listing: TreeListing, { concerns }: SyncOptions): string[] {
    if (given === listing) return [];
    const { hasher } = this;
    const moved = changedPaths(given, listing, (before, after) => {
      const hash = hasher?.earlierHash(given.root, before);
      return hash !== undefined && hash === hasher?.hash(listing.root, after);
    });
    return concerns === undefined ? moved : moved.filter(concerns);
  }

  /** Returns undefined if a file that concerns the caller changed while it was read. */
  private async lay(
    base: Base,
    listing: TreeListing,
    filter: TreeFilter,
    allSteps: TreeStep[],
    unstable: UnstableFiles,
    options: SyncOptions,
  ): Promise<Pick<SyncedTree, "id" | "via"> | undefined> {
    const steps = allSteps.filter((step) => !("entry" in step && unstable.isUnreadable(step.entry)));
    if (steps.length === 0) return { id: base.id, via: { kind: "same" } };
    const recipe = steps.map((step) => recipeKey(listing.root, step, this.hasher)).join("\n");
    const via = { kind: "edits", steps: steps.length } as const;
    const known = base.laid.get(recipe);
    if (known !== undefined) return { id: known, via };
    const moved = (): string[] =>
      steps.flatMap((step) => (isStill(listing.root, step) || !("entry" in step) ? [] : [step.entry.path]));
    let id: string;
    try {
      const asOneCopy =
        this.session.engine.kind === "dagger" && steps.length >= batchFromSteps && canBatch(steps, filter);
      id = asOneCopy
        ? await applyBatch(this.session, base.id, listing.root, filter, steps, options)
        : await applyRecipe(this.session, base.id, listing.root, steps, options);
    } catch (error) {
      // A file that has vanished was listed a moment ago, so the tree is listed again. Anything else is a real failure.
      const gone = moved();
      if (gone.length === 0) throw error;
      unstable.note(gone, listing);
      return undefined;
    }
    const movedNow = moved();
    if (unstable.mattering(movedNow).length > 0) {
      unstable.note(movedNow, listing);
      return undefined;
    }
    // The change concerns nobody here, but other callers with this recipe must lay it again.
    if (movedNow.length > 0) return { id, via };
    base.laid.set(recipe, id);
    if (base.laid.size > rememberedRecipes) base.laid.delete(base.laid.keys().next().value!);
    return { id, via };
  }

  /** Sends the whole tree. Returns undefined if it changed meanwhile, so that no listing stands for other content. */
  private async send(
    key: string,
    filter: TreeFilter,
    listing: TreeListing,
    unstable: UnstableFiles,
    options: SyncOptions,
  ): Promise<Base | undefined> {
    unstable.hide(hiddenIn(listing, filter));
    const sent = unstable.without(listing);
    const hashes = this.hasher === undefined ? undefined : this.hashesOf(sent, this.hasher);
    const document = `query SendTree($path: String!, $include: [String!], $exclude: [String!]) {
      host { directory(path: $path, include: $include, exclude: $exclude, noCache: true${
        filter.gitignore === true ? ", gitignore: true" : ""
      }) { sync } }
    }`;
    const exclude = [...(filter.exclude ?? []), ...unstable.paths.map(literalPattern)];
    const variables = { path: listing.root, include: filter.include ?? [], exclude };
    // The transfer replaces the engine's previous copy, even if it fails.
    this.bases.delete(key);
    const look = (): TreeListing => unstable.without(listTree(listing.root, { ...filter, leaveOut: undefined }));
    let id: string;
    try {
      const result = await this.session.query<{ host: { directory: { sync: string } } }>(document, variables, options);
      id = result.host.directory.sync;
    } catch (error) {
      const movedNow = options.signal?.aborted === true ? [] : changedPaths(sent, look());
      if (movedNow.length === 0) throw error;
      unstable.note(movedNow, listing);
      return undefined;
    }
    const now = look();
    const movedNow = changedPaths(sent, now);
    const inBoth = new Map(sent.entries.map((entry) => [entry.path, entry]));
    const isAccountedFor =
      movedNow.every((file) => inBoth.get(file)?.type === "file") && unstable.allowsTouched(sent, now);
    if (unstable.mattering(movedNow).length > 0 || !isAccountedFor) {
      unstable.note(movedNow, listing);
      return undefined;
    }
    for (const file of movedNow) hashes?.delete(file);
    const base: Base = { id, listing: asUnknown(sent, movedNow), hashes, laid: new Map() };
    this.bases.set(key, base);
    return base;
  }

  private hashesOf(listing: TreeListing, hasher: ContentHasher): Map<string, string> {
    const files = listing.entries.filter((entry) => entry.type === "file");
    return new Map(files.map((entry) => [entry.path, hasher.hash(listing.root, entry)]));
  }
}

/** Identifies a step by its content if known, else by the file's identity on disk. */
function recipeKey(root: string, step: TreeStep, hasher: ContentHasher | undefined): string {
  if (step.kind === "remove-file" || step.kind === "remove-directory") return `${step.kind} ${step.path}`;
  const { entry } = step;
  const content =
    entry.type === "symlink"
      ? entry.linkTarget
      : entry.type === "directory"
        ? ""
        : (hasher?.hash(root, entry) ?? `${entry.sizeBytes} ${entry.mtimeNs} ${entry.ctimeNs} ${entry.inode}`);
  return JSON.stringify([step.kind, entry.path, entry.mode, content]);
}

/** Reports whether the disk still has what a step wrote. */
function isStill(root: string, step: TreeStep): boolean {
  if (step.kind === "remove-file" || step.kind === "remove-directory") return true;
  const now = statEntry(root, step.entry.path);
  return now !== undefined && sameKind(now, step.entry) && (now.type === "directory" || sameStat(now, step.entry));
}

function sameKind(a: TreeEntry, b: TreeEntry): boolean {
  return a.type === b.type && a.mode === b.mode && a.linkTarget === b.linkTarget;
}
