import path from "node:path";
import {
  compareTreePaths,
  contentDigest,
  contentKey,
  earlierContentKey,
  sameListing,
  treeStatDigest,
  type ContentHasher,
  type ScannedFolder,
  type TreeEntry,
  type TreeListing,
  type TreeScan,
} from "../../tree/index.ts";
import { keyOf, type Place } from "./arrangement.ts";
import { inPathOrder, type FileChange } from "./manifests.ts";
import type { ScannedInput } from "../inputs/scanned-input.ts";

/** A folder that a watcher has to look at; with `only`, for the sake of that child. */
export interface WatchedPlace extends ScannedFolder {
  only?: string;
}

/** The inputs at one moment. */
export class ProjectSnapshot {
  private readonly scans: (TreeScan | undefined)[];
  private readonly places: ReadonlyMap<string, Place>;
  private readonly hasher: ContentHasher;
  private readonly digests = new Map<string, string>();
  /** Inputs of which a file may be written again unseen, by its stat: their digest holds for this snapshot only. */
  private readonly unsettled = new Set<string>();

  private readonly awaited: readonly WatchedPlace[];

  constructor(
    scans: (TreeScan | undefined)[],
    places: ReadonlyMap<string, Place>,
    hasher: ContentHasher,
    awaited: readonly WatchedPlace[],
  ) {
    this.scans = scans;
    this.awaited = awaited;
    this.places = places;
    this.hasher = hasher;
  }

  /** Content digest of an input; `missing` where nothing is. */
  digest(input: ScannedInput): string {
    const key = keyOf(input);
    let digest = this.digests.get(key);
    if (digest === undefined) {
      const { scan, indices, place } = this.find(input);
      if (input.presence === true) {
        // Links were followed: one that is found leads nowhere.
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

  /** Takes over the digests of inputs whose entries are the same objects as in an earlier snapshot: nothing of them moved. */
  takeOver(earlier: ProjectSnapshot): void {
    if (earlier.places !== this.places) return;
    for (const [key, digest] of earlier.digests) {
      const { root, selection } = this.places.get(key)!;
      if (earlier.unsettled.has(key) || !sameSelection(earlier.scans[root], this.scans[root], selection)) continue;
      this.digests.set(key, digest);
    }
  }

  /** Whether both saw the same inputs, in every field that a write would move; and the same roots to be missing. */
  saw(earlier: ProjectSnapshot): boolean {
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

  /** Of one root, what any input selects; what is only sent along is left out. */
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

  /** The digest if it was asked for before. */
  knownDigest(input: ScannedInput): string | undefined {
    return this.places.has(keyOf(input)) ? this.digests.get(keyOf(input)) : undefined;
  }

  /** Path -> type, mode and content hash, relative to the input. */
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

  /**
   * What differs between an earlier snapshot of the same scanner and this one. Entries that did not move are the same
   * objects in both, so this looks closely at the others only. Undefined when that tells nothing.
   */
  changesSince(earlier: ProjectSnapshot, input: ScannedInput): FileChange[] | undefined {
    const [before, now] = [earlier.find(input), this.find(input)];
    if (before.scan === undefined || now.scan === undefined || earlier.places !== this.places) return undefined;
    const { root } = now.scan.listing;
    const cut = below(input, now.place);
    const relative = (entry: TreeEntry): string => (cut === "" ? entry.path : entry.path.slice(cut.length + 1));
    const changes: FileChange[] = [];
    let position = 0;
    for (const index of now.indices) {
      const entry = now.scan.listing.entries[index]!;
      let old = before.scan.listing.entries[before.indices[position] ?? -1];
      while (old !== undefined && old !== entry && compareTreePaths(old.path, entry.path) < 0) {
        changes.push({ kind: "file", change: "removed", path: relative(old) });
        old = before.scan.listing.entries[before.indices[++position] ?? -1];
      }
      if (old === undefined || (old !== entry && old.path !== entry.path)) {
        changes.push({ kind: "file", change: "added", path: relative(entry) });
        continue;
      }
      position++;
      if (old === entry) continue;
      const key = earlierContentKey(before.scan.listing.root, old, this.hasher);
      if (key === undefined) return undefined;
      if (key !== contentKey(root, entry, this.hasher))
        changes.push({ kind: "file", change: "changed", path: relative(entry) });
    }
    for (; position < before.indices.length; position++) {
      changes.push({
        kind: "file",
        change: "removed",
        path: relative(before.scan.listing.entries[before.indices[position]!]!),
      });
    }
    // A file written twice within a tick of the clock shows in its hash only.
    return changes.length === 0 ? undefined : inPathOrder(changes);
  }

  /** The input as a listing of its own, for sending exactly what was hashed. */
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

  /** Whether a file or folder was made or changed at or after this time (since 1970). */
  hasYounger(timeMs: number): boolean {
    const timeNs = BigInt(timeMs) * 1_000_000n;
    return this.scans.some((scan) => scan?.listing.entries.some((entry) => entry.ctimeNs >= timeNs) === true);
  }

  /** How many files and folders an input has. */
  count(input: ScannedInput): number {
    return this.find(input).indices.length;
  }

  /** How many files and folders were looked at. */
  get size(): number {
    return this.scans.reduce((sum, scan) => sum + (scan?.listing.entries.length ?? 0), 0);
  }

  /** What a watcher has to look at, absolute: every folder that was entered, and where a missing one would be made. */
  folders(): WatchedPlace[] {
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
      // For the sake of two of its children, all of them.
      if (same === undefined) known.set(folder.path, folder);
      else if (same.only !== folder.only) known.set(folder.path, { path: folder.path, identity: same.identity });
    }
    return [...known.values()];
  }

  private statDigestOnce: string | undefined;

  /** Changes whenever any `lstat` field of any input does, but for the times of folders. */
  statDigest(): string {
    this.statDigestOnce ??= this.scans
      .map((_scan, at) => {
        const listing = this.counting(at);
        return listing === undefined ? "missing" : treeStatDigest(listing, { folderTimes: false });
      })
      .join(" ");
    return this.statDigestOnce;
  }

  /** Folders that could not be read; their content is part of no digest, which is why it has to be said. */
  unreadable(): { path: string; reason: string }[] {
    return this.scans.flatMap((scan) =>
      (scan?.listing.unreadable ?? []).map(({ path: at, reason }) => ({
        path: path.join(scan!.listing.root, at),
        reason,
      })),
    );
  }

  private find(input: ScannedInput): { scan: TreeScan | undefined; indices: Uint32Array; place: Place } {
    const place = this.places.get(keyOf(input));
    if (place === undefined) throw new Error(`${input.path} was not scanned`);
    const scan = this.scans[place.root];
    return { scan, indices: scan?.selections[place.selection] ?? new Uint32Array(), place };
  }
}

/** Of an input without entries: an empty folder is something else, whichever other inputs it was looked at with. */
function isMissing(input: ScannedInput, { path: at }: Place, { folders, listing }: TreeScan): boolean {
  if (input.kind === "file") return true;
  return at !== "" && ![...folders, ...listing.unreadable].some((folder) => folder.path === at);
}

function sameSelection(before: TreeScan | undefined, now: TreeScan | undefined, selection: number): boolean {
  const [old, indices] = [before?.selections[selection], now?.selections[selection]];
  if (old === undefined || indices === undefined || old.length !== indices.length) return false;
  // Of nothing it can't be said whether the folder is there.
  if (indices.length === 0) return false;
  return indices.every((index, at) => now!.listing.entries[index] === before!.listing.entries[old[at]!]);
}

/** What manifest paths of an input are relative to, within its scan's root. */
function below(input: ScannedInput, place: Place): string {
  if (input.kind === "directory") return place.path;
  const folder = path.posix.dirname(place.path);
  return folder === "." ? "" : folder;
}
