import { UserError } from "../errors/index.ts";
import {
  diffListings,
  listTree,
  sameStat,
  statEntry,
  treeStatDigest,
  type ContentHasher,
  type TreeEntry,
  type TreeFilter,
  type TreeListing,
} from "../tree/index.ts";
import { batchFromSteps, canBatch, layBatch } from "./trees-batch.ts";
import { hostFile, layRecipe } from "./trees-chain.ts";
import { recipeOf, type NewBaseReason, type TreeStep } from "./trees-recipe.ts";
import type { EngineSession, QueryOptions } from "./types.ts";

/** A host folder in the engine, exactly as it was listed. */
export interface SyncedTree {
  /** Id of the `Directory`. */
  id: string;
  listing: TreeListing;
  /** How it got there: sent whole, or so many steps laid on the last snapshot. */
  via: { kind: "base"; reason: "first" | NewBaseReason } | { kind: "edits"; steps: number } | { kind: "same" };
}

export interface SyncOptions extends QueryOptions {
  /** A listing made a moment ago with the same filter; saves the walk. */
  listing?: TreeListing;
}

export interface TreeSyncOptions {
  /**
   * Knows the base's content, so that a file that was edited and put back counts as unchanged. Without it such a file is
   * laid again: right, but a cache miss.
   */
  hasher?: ContentHasher;
}

interface Base {
  id: string;
  listing: TreeListing;
  hashes: Map<string, string> | undefined;
  /** Results laid on this base, by recipe: the ones used last, so that a state that comes back needs no query. */
  laid: Map<string, string>;
}

/** A tree that is written to without pause is read this often before the caller is told. */
const readAttempts = 4;
const rememberedRecipes = 64;

/**
 * Host trees in one session: each is sent once, then edits cost what they change. The whole difference to the base is
 * laid each time in one canonical order, never edit upon edit; a large difference makes a new base. What comes back is
 * what was listed: a file that moves meanwhile makes it start again.
 */
export class TreeSync {
  private readonly session: EngineSession;
  private readonly hasher: ContentHasher | undefined;
  private readonly bases = new Map<string, Base>();
  /** One sync at a time for a tree: the second caller finds the first one's result. */
  private readonly queues = new Map<string, Promise<unknown>>();

  constructor(session: EngineSession, options: TreeSyncOptions = {}) {
    this.session = session;
    this.hasher = options.hasher;
  }

  /** The folder at `path` (absolute) as it is now, less what the filter leaves out. */
  directory(path: string, filter: TreeFilter = {}, options: SyncOptions = {}): Promise<SyncedTree> {
    const key = JSON.stringify([path, filter.include ?? [], filter.exclude ?? [], filter.gitignore ?? false]);
    const before = this.queues.get(key) ?? Promise.resolve();
    const run = before.then(() => this.sync(key, path, filter, options));
    this.queues.set(
      key,
      run.catch(() => undefined),
    );
    return run;
  }

  /** One host file as it is now. */
  async file(path: string, options: QueryOptions = {}): Promise<{ id: string }> {
    return { id: await hostFile(this.session, path, options) };
  }

  private async sync(key: string, path: string, filter: TreeFilter, options: SyncOptions): Promise<SyncedTree> {
    let listing = options.listing ?? listTree(path, filter);
    for (let attempt = 1; attempt <= readAttempts; attempt++) {
      options.signal?.throwIfAborted();
      const base = this.bases.get(key);
      const steps = base === undefined ? { newBase: "first" as const } : this.difference(base, listing);
      if (base !== undefined && Array.isArray(steps)) {
        const laid = await this.lay(base, listing, filter, steps, options);
        if (laid !== undefined) return laid;
      } else if (!Array.isArray(steps)) {
        const sent = await this.send(key, filter, listing, options);
        if (sent !== undefined) return { ...sent, via: { kind: "base", reason: steps.newBase } };
      }
      listing = listTree(path, filter);
    }
    throw new UserError("engine-unsupported", "these files change faster than they can be read", {
      place: path,
      hint: "leave out what a running program writes: `ignore` of the argument, or `exclude`",
    });
  }

  private difference(base: Base, listing: TreeListing): TreeStep[] | { newBase: NewBaseReason } {
    const { hashes } = base;
    const changes = diffListings(base.listing, listing, (before, after) => {
      const known = hashes?.get(before.path);
      return known !== undefined && known === this.hasher?.hash(listing.root, after);
    });
    return recipeOf(changes, listing.entries.length);
  }

  /** Undefined when a file moved while it was read. */
  private async lay(
    base: Base,
    listing: TreeListing,
    filter: TreeFilter,
    steps: TreeStep[],
    options: SyncOptions,
  ): Promise<SyncedTree | undefined> {
    if (steps.length === 0) return { id: base.id, listing, via: { kind: "same" } };
    const recipe = steps.map((step) => recipeKey(listing.root, step, this.hasher)).join("\n");
    const known = base.laid.get(recipe);
    if (known !== undefined) return { id: known, listing, via: { kind: "edits", steps: steps.length } };
    let id: string;
    try {
      const asOneCopy =
        this.session.engine.kind === "dagger" && steps.length >= batchFromSteps && canBatch(steps, filter);
      id = asOneCopy
        ? await layBatch(this.session, base.id, listing.root, filter, steps, options)
        : await layRecipe(this.session, base.id, listing.root, steps, options);
    } catch (error) {
      // A file that is gone by now was listed a moment ago: look again. Anything else is a real failure.
      if (steps.every((step) => isStill(listing.root, step))) throw error;
      return undefined;
    }
    if (!steps.every((step) => isStill(listing.root, step))) return undefined;
    base.laid.set(recipe, id);
    if (base.laid.size > rememberedRecipes) base.laid.delete(base.laid.keys().next().value!);
    return { id, listing, via: { kind: "edits", steps: steps.length } };
  }

  /** Sends the whole tree; undefined when it moved meanwhile, so that no listing is taken for another's content. */
  private async send(
    key: string,
    filter: TreeFilter,
    listing: TreeListing,
    options: SyncOptions,
  ): Promise<{ id: string; listing: TreeListing } | undefined> {
    const hashes = this.hasher === undefined ? undefined : this.hashesOf(listing, this.hasher);
    const document = `query SendTree($path: String!, $include: [String!], $exclude: [String!]) {
      host { directory(path: $path, include: $include, exclude: $exclude, noCache: true${
        filter.gitignore === true ? ", gitignore: true" : ""
      }) { sync } }
    }`;
    const variables = { path: listing.root, include: filter.include ?? [], exclude: filter.exclude ?? [] };
    const result = await this.session.query<{ host: { directory: { sync: string } } }>(document, variables, options);
    if (treeStatDigest(listTree(listing.root, filter)) !== treeStatDigest(listing)) return undefined;
    const id = result.host.directory.sync;
    this.bases.set(key, { id, listing, hashes, laid: new Map() });
    return { id, listing };
  }

  private hashesOf(listing: TreeListing, hasher: ContentHasher): Map<string, string> {
    const files = listing.entries.filter((entry) => entry.type === "file");
    return new Map(files.map((entry) => [entry.path, hasher.hash(listing.root, entry)]));
  }
}

/** Names a step by its content where that is known, else by the file's identity on disk. */
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

/** Whether what a step wrote is what is on disk now. */
function isStill(root: string, step: TreeStep): boolean {
  if (step.kind === "remove-file" || step.kind === "remove-directory") return true;
  const now = statEntry(root, step.entry.path);
  return now !== undefined && sameKind(now, step.entry) && (now.type === "directory" || sameStat(now, step.entry));
}

function sameKind(a: TreeEntry, b: TreeEntry): boolean {
  return a.type === b.type && a.mode === b.mode && a.linkTarget === b.linkTarget;
}
