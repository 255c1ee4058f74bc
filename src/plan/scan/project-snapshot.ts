import path from "node:path";
import {
  contentDigest,
  contentKey,
  sameListing,
  treeStatDigest,
  type ContentHasher,
  type ScannedFolder,
  type TreeListing,
  type TreeScan,
} from "../../tree/index.ts";
import { keyOf, type Place } from "./arrangement.ts";
import { changesBetween } from "./changes-between.ts";
import type { FileChange } from "./manifests.ts";
import type { ScannedInput } from "../inputs/scanned-input.ts";

/** A folder to watch; with `only`, because of that child alone. */
export interface WatchedPlace extends ScannedFolder {
  only?: string;
}

/** The inputs at one moment. */
export class ProjectSnapshot {
  private seen: (TreeScan | undefined)[];
  private places: ReadonlyMap<string, Place>;
  private readonly hasher: ContentHasher;
  private readonly digests = new Map<string, string>();
  /**
   * Inputs with a file that may be written again without a change of its `stat`; their digest is valid for this
   * snapshot only.
   */
  private readonly unsettled = new Set<string>();

  private awaited: readonly WatchedPlace[];
  /** Makes the scan if so far only the digests of an earlier one were taken over. */
  private scanNow: (() => ProjectSnapshot) | undefined;

  constructor(
    scans: (TreeScan | undefined)[],
    places: ReadonlyMap<string, Place>,
    hasher: ContentHasher,
    awaited: readonly WatchedPlace[],
  ) {
    this.seen = scans;
    this.awaited = awaited;
    this.places = places;
    this.hasher = hasher;
  }

  /** Returns a snapshot with these digests, in the order of `places`, which scans when anything else is needed. */
  static asFound(
    digests: readonly (string | undefined)[],
    places: ReadonlyMap<string, Place>,
    hasher: ContentHasher,
    scanNow: () => ProjectSnapshot,
  ): ProjectSnapshot {
    const snapshot = new ProjectSnapshot([], places, hasher, []);
    for (const [index, key] of [...places.keys()].entries()) {
      const digest = digests[index];
      if (digest !== undefined) snapshot.digests.set(key, digest);
    }
    snapshot.scanNow = scanNow;
    return snapshot;
  }

  /** Returns the computed digests in the order of the places; undefined if a file may have changed unnoticed. */
  settledDigests(): (string | undefined)[] | undefined {
    if (this.unsettled.size > 0 || this.unreadable().length > 0) return undefined;
    return [...this.places.keys()].map((key) => this.digests.get(key));
  }

  /** Whether the digests come from an earlier scan, and this process has not scanned. */
  get isAsFound(): boolean {
    return this.scanNow !== undefined;
  }

  /** Scans if that was not done, and drops the digests that were taken over. Returns whether it did. */
  look(): boolean {
    const full = this.scanNow?.();
    this.scanNow = undefined;
    if (full === undefined) return false;
    this.seen = full.seen;
    this.places = full.places;
    this.awaited = full.awaited;
    this.digests.clear();
    return true;
  }

  private get scans(): (TreeScan | undefined)[] {
    this.look();
    return this.seen;
  }

  /** Returns the content digest of an input; `missing` if there is nothing. */
  digest(input: ScannedInput): string {
    const key = keyOf(input);
    let digest = this.digests.get(key);
    if (digest === undefined) {
      const { scan, indices, place } = this.find(input);
      if (input.presence === true) {
        // Links were followed, so a remaining one is broken.
        const isThere = [...indices].some((index) => scan!.listing.entries[index]!.type !== "symlink");
        return isThere || scan?.folders.some((folder) => folder.path === place.path) === true ? "there" : "missing";
      }
      const unsettledBefore = this.hasher.work.unsettled;
      digest =
        scan === undefined || (indices.length === 0 && isMissing(input, place, scan))
          ? "missing"
          : contentDigest(scan.listing, this.hasher, { indices, below: below(input, place) });
      this.digests.set(key, digest);
      if (this.hasher.work.unsettled !== unsettledBefore) this.unsettled.add(key);
    }
    return digest;
  }

  /** Takes over digests of inputs whose entries are the same objects as in an earlier snapshot: they did not change. */
  takeOver(earlier: ProjectSnapshot): void {
    if (earlier.places !== this.places || earlier.isAsFound || this.isAsFound) return;
    for (const [key, digest] of earlier.digests) {
      const { root, selection } = this.places.get(key)!;
      if (earlier.unsettled.has(key) || !sameSelection(earlier.scans[root], this.scans[root], selection)) continue;
      this.digests.set(key, digest);
    }
  }

  /** Reports whether both saw the same inputs, in every field that a write changes, and the same missing roots. */
  saw(earlier: ProjectSnapshot): boolean {
    // The entries of a snapshot that took over digests were never read.
    if (earlier.isAsFound) return false;
    return (
      this.scans.length === earlier.scans.length &&
      this.scans.every((scan, at) => {
        const before = earlier.scans[at];
        return scan === undefined || before === undefined
          ? scan === before
          : sameListing(this.counting(at)!, earlier.counting(at)!);
      })
    );
  }

  /** Returns what any input selects below one root, without what is only sent along. */
  private counting(root: number): TreeListing | undefined {
    const scan = this.scans[root];
    if (scan === undefined) return undefined;
    const places = [...this.places.values()].filter((place) => place.root === root);
    if (places.every((place) => place.counts)) return scan.listing;
    const counts = new Uint8Array(scan.listing.entries.length);
    for (const place of places)
      if (place.counts) for (const index of scan.selections[place.selection]!) counts[index] = 1;
    return { ...scan.listing, entries: scan.listing.entries.filter((_entry, index) => counts[index] === 1) };
  }

  /** Returns the digest if it was already computed. */
  knownDigest(input: ScannedInput): string | undefined {
    return this.places.has(keyOf(input)) ? this.digests.get(keyOf(input)) : undefined;
  }

  /** Returns path -> type, mode and content hash, relative to the input. */
  manifest(input: ScannedInput): Map<string, string> {
    const { scan, indices, place } = this.find(input);
    const manifest = new Map<string, string>();
    if (scan === undefined) return manifest;
    const cut = below(input, place);
    for (const index of indices) {
      const entry = scan.listing.entries[index]!;
      manifest.set(
        cut === "" ? entry.path : entry.path.slice(cut.length + 1),
        contentKey(scan.listing.root, entry, this.hasher),
      );
    }
    return manifest;
  }

  /** Returns the differences between an earlier snapshot of the same scanner and this one; undefined if unknown. */
  changesSince(earlier: ProjectSnapshot, input: ScannedInput): FileChange[] | undefined {
    if (earlier.isAsFound) return undefined;
    const [before, now] = [earlier.find(input), this.find(input)];
    if (before.scan === undefined || now.scan === undefined || earlier.places !== this.places) return undefined;
    const cut = below(input, now.place);
    return changesBetween(
      { scan: before.scan, indices: before.indices },
      { scan: now.scan, indices: now.indices },
      (file) => (cut === "" ? file : file.slice(cut.length + 1)),
      this.hasher,
    );
  }

  /** Returns the input as a listing of its own, for sending exactly what was hashed. */
  listing(input: ScannedInput): TreeListing | undefined {
    const { scan, indices, place } = this.find(input);
    if (scan === undefined) return undefined;
    const cut = place.path === "" ? 0 : place.path.length + 1;
    const entries = Array.from(indices, (index) => {
      const entry = scan.listing.entries[index]!;
      return cut === 0 ? entry : { ...entry, path: entry.path.slice(cut) };
    });
    const prefix = place.path === "" ? "" : `${place.path}/`;
    const unreadable = scan.listing.unreadable.filter((item) => item.path.startsWith(prefix));
    return { root: path.join(scan.listing.root, place.path), entries, unreadable };
  }

  /** Reports whether a file or folder was created or changed at or after this time (milliseconds since 1970). */
  hasYounger(timeMs: number): boolean {
    const timeNs = BigInt(timeMs) * 1_000_000n;
    return this.scans.some((scan) => scan?.listing.entries.some((entry) => entry.ctimeNs >= timeNs) === true);
  }

  /** Returns the number of files and folders in an input. */
  count(input: ScannedInput): number {
    return this.find(input).indices.length;
  }

  /** Number of files and folders that were scanned. */
  get size(): number {
    return this.scans.reduce((sum, scan) => sum + (scan?.listing.entries.length ?? 0), 0);
  }

  /**
   * Returns all folders to watch, absolute: those that were entered, and those where a missing one would be created.
   */
  folders(): WatchedPlace[] {
    this.look();
    const entered = this.scans.flatMap((scan) =>
      (scan?.folders ?? []).map(({ path: folder, identity }): WatchedPlace => ({
        path: folder === "" ? scan!.listing.root : `${scan!.listing.root}/${folder}`,
        identity,
      })),
    );
    if (this.awaited.length === 0) return entered;
    const known = new Map(entered.map((folder) => [folder.path, folder]));
    for (const folder of this.awaited) {
      const same = known.get(folder.path);
      // If two of its children matter, the whole folder is watched.
      if (same === undefined) known.set(folder.path, folder);
      else if (same.only !== folder.only) known.set(folder.path, { path: folder.path, identity: same.identity });
    }
    return [...known.values()];
  }

  private statDigestOnce: string | undefined;

  /** Returns a digest that changes with any `lstat` field of any input, except the times of folders. */
  statDigest(): string {
    this.statDigestOnce ??= this.scans
      .map((_scan, at) => {
        const listing = this.counting(at);
        return listing === undefined ? "missing" : treeStatDigest(listing, { folderTimes: false });
      })
      .join(" ");
    return this.statDigestOnce;
  }

  /** Folders that could not be read. Their content is part of no digest, so they must be reported. */
  unreadable(): { path: string; reason: string }[] {
    // A scan with unreadable folders is not stored.
    if (this.isAsFound) return [];
    return this.scans.flatMap((scan) =>
      (scan?.listing.unreadable ?? []).map(({ path: at, reason }) => ({
        path: path.join(scan!.listing.root, at),
        reason,
      })),
    );
  }

  private find(input: ScannedInput): { scan: TreeScan | undefined; indices: Uint32Array; place: Place } {
    this.look();
    const place = this.places.get(keyOf(input));
    if (place === undefined) throw new Error(`${input.path} was not scanned`);
    const scan = this.scans[place.root];
    return { scan, indices: scan?.selections[place.selection] ?? new Uint32Array(), place };
  }
}

/**
 * Reports whether an input without entries is missing: an empty folder is not, whichever inputs it was scanned with.
 */
function isMissing(input: ScannedInput, { path: at }: Place, { folders, listing }: TreeScan): boolean {
  if (input.kind === "file") return true;
  return at !== "" && ![...folders, ...listing.unreadable].some((folder) => folder.path === at);
}

function sameSelection(before: TreeScan | undefined, now: TreeScan | undefined, selection: number): boolean {
  const [old, indices] = [before?.selections[selection], now?.selections[selection]];
  if (old === undefined || indices === undefined || old.length !== indices.length) return false;
  // An empty selection does not show whether the folder exists.
  if (indices.length === 0) return false;
  return indices.every((index, at) => now!.listing.entries[index] === before!.listing.entries[old[at]!]);
}

/** Returns the base of an input's manifest paths within its scan's root. */
function below(input: ScannedInput, place: Place): string {
  if (input.kind === "directory") return place.path;
  const folder = path.posix.dirname(place.path);
  return folder === "." ? "" : folder;
}
