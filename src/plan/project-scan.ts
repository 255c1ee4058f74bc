import path from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  contentDigest,
  compareTreePaths,
  contentKey,
  folderIdentity,
  ruleFiles,
  sameListing,
  earlierContentKey,
  TreeScanner,
  treeStatDigest,
  type ContentHasher,
  type ScannedFolder,
  type StatAhead,
  type TreeEntry,
  type TreeFilter,
  type TreeListing,
  type TreeScan,
} from "../tree/index.ts";
import { Concern } from "./concern.ts";
import { FollowedLinks } from "./followed-links.ts";
import { cleaned, literalHead } from "./patterns-read.ts";
import { realIfPresent, type ScannedInput } from "./scanned-input.ts";
import { inPathOrder, type FileChange } from "./manifests.ts";

interface Place {
  root: number;
  /** Path of the input relative to that root. */
  path: string;
  selection: number;
  /** Whether a change of it means anything; false for what is only sent along. */
  counts: boolean;
}

/**
 * All inputs of all targets in as few walks as possible: inputs that lie in one another share one walk, and equal ones
 * one selection. Missing inputs are inputs too: their absence is what is hashed.
 */
export class ProjectScanner {
  private readonly inputs: readonly ScannedInput[];
  private readonly carried: readonly ScannedInput[];
  private readonly hasher: ContentHasher;
  private concern: Concern | undefined;
  private scanners: { root: string; scanner: TreeScanner }[] = [];
  private places = new Map<string, Place>();
  /** Folders that are read through a symlink, and where it led when it was followed. */
  private links = new Map<string, string>();
  /** By the key of an input, what its links led to when they were followed last. */
  private followed = new Map<string, string[]>();
  /** Ignore files outside of the walks whose rules hold in them. */
  private rules = new Set<string>();

  /** `carried` is looked at with the inputs, to be sent; whether it is as it was means nothing. */
  constructor(inputs: readonly ScannedInput[], hasher: ContentHasher, carried: readonly ScannedInput[] = []) {
    this.inputs = inputs;
    this.carried = carried;
    this.hasher = hasher;
    this.arrange();
  }

  private arrange(): void {
    const all = [...this.inputs, ...this.carried];
    this.places = new Map();
    this.links = new Map();
    this.concern = undefined;
    const bases = all.map((input) => {
      const given = input.kind === "file" ? path.dirname(input.path) : input.path;
      const real = realIfPresent(given);
      if (real !== given) this.links.set(given, real);
      return real;
    });
    const roots = topmostPaths(bases);
    const selections: { path: string; filter: TreeFilter }[][] = roots.map(() => []);
    for (const [index, input] of all.entries()) {
      const key = keyOf(input);
      if (this.places.has(key)) continue;
      const counts = index < this.inputs.length;
      const base = bases[index]!;
      const root = roots.findIndex((candidate) => isWithin(candidate, base));
      const target = input.kind === "file" ? path.join(base, path.basename(input.path)) : base;
      const relative = path.relative(roots[root]!, target).split(path.sep).join("/");
      const selection = selections[root]!.push({ path: relative, filter: this.effective(input) }) - 1;
      this.places.set(key, { root, path: relative, selection, counts });
    }
    const byRules = all.flatMap((input, index) => (input.filter.leaveOut === undefined ? [] : [bases[index]!]));
    this.rules = new Set([...new Set(byRules)].flatMap(ruleFiles));
    this.scanners = roots.map((root, index) => ({ root, scanner: new TreeScanner(root, selections[index]!) }));
  }

  /**
   * Looks at everything, or after hints at the folders of the paths that they name; `lstat` only, contents are read when
   * a digest asks for them. `beforeRead` is told each folder just before it is read; `ahead` has looked at files already.
   */
  scan(
    changed?: ReadonlySet<string>,
    beforeRead?: (folder: WatchedPlace) => void,
    ahead?: ReadonlyMap<string, StatAhead>,
  ): ProjectSnapshot {
    const moved = [...this.links].some(
      ([given, real]) => (changed === undefined || changed.has(given)) && realIfPresent(given) !== real,
    );
    if (moved) this.arrange();
    // Ignore files may say something else by now.
    if (changed === undefined || [...changed].some((file) => file.endsWith("/.gitignore") || this.rules.has(file))) {
      this.concern = undefined;
      if (changed !== undefined && [...changed].some((file) => this.rules.has(file))) changed = undefined;
    }
    const awaited: WatchedPlace[] = [...this.links.keys(), ...this.rules].flatMap((given) =>
      childOf(path.dirname(given), path.basename(given)),
    );
    let scans = this.scanners.map(({ root, scanner }) => {
      const scan = scanner.scanIfPresent(moved ? undefined : changed, beforeRead, ahead);
      // Nothing there tells of its arrival, or of being made readable.
      if (scan === undefined || scan.listing.unreadable.some((item) => item.path === ""))
        awaited.push(...nearestAbove(root));
      return scan;
    });
    // What a followed link leads to may hold links itself.
    for (let depth = 0; depth < deepestLinks && this.follow(scans); depth++) {
      this.arrange();
      scans = this.scanners.map(({ scanner }) => scanner.scanIfPresent(undefined, beforeRead));
    }
    return new ProjectSnapshot(scans, this.places, this.hasher, awaited);
  }

  /** The input's filter with what its links lead to; its own entries are read after that, so that `!` takes out of it. */
  effective(input: ScannedInput): TreeFilter {
    const others = this.followed.get(keyOf(input));
    return others === undefined
      ? input.filter
      : { ...input.filter, include: [...others, ...(input.filter.include ?? [])] };
  }

  /** Follows the links of the inputs; whether they lead elsewhere than before. */
  private follow(scans: readonly (TreeScan | undefined)[]): boolean {
    const before = JSON.stringify([...this.followed]);
    const links = scans.map((scan) =>
      scan === undefined
        ? []
        : scan.listing.entries.flatMap((entry, index) => (entry.type === "symlink" ? [index] : [])),
    );
    for (const input of this.inputs) {
      if (input.follow !== true) continue;
      const { root, path: at, selection } = this.places.get(keyOf(input))!;
      const scan = scans[root];
      if (scan === undefined) continue;
      const own = links[root]!.length === 0 ? new Set<number>() : new Set(scan.selections[selection]);
      const cut = at === "" ? 0 : at.length + 1;
      const named = links[root]!.flatMap((index) =>
        own.has(index) ? [scan.listing.entries[index]!.path.slice(cut)] : [],
      );
      if (named.length === 0 && !this.mayPassLinks(input)) continue;
      const patterns = new FollowedLinks(path.join(scan.listing.root, at), input.filter).patterns(named);
      if (patterns.length > 0) this.followed.set(keyOf(input), patterns);
      else this.followed.delete(keyOf(input));
    }
    return JSON.stringify([...this.followed]) !== before;
  }

  /** Whether an entry may name something behind a link: one with a folder in it that no scan has entered. */
  private mayPassLinks(input: ScannedInput): boolean {
    if (this.followed.has(keyOf(input))) return true;
    return (input.filter.include ?? []).some((pattern) => {
      const head = literalHead(pattern);
      const folder = head === cleaned(pattern) ? path.posix.dirname(head) : head;
      return (
        folder !== "." &&
        folder !== "" &&
        !this.scanners.some(({ scanner }) => scanner.knowsFolder(path.join(input.path, folder)))
      );
    });
  }

  /** Whether a path (absolute) has anything to do with the inputs: only then is a change there a reason to look. */
  concerns(file: string): boolean {
    this.concern ??= new Concern(
      this.inputs.map((input) => {
        const { root, path: at } = this.places.get(keyOf(input))!;
        return { input: { ...input, filter: this.effective(input) }, real: path.join(this.scanners[root]!.root, at) };
      }),
      [...this.links.keys(), ...this.rules],
      (folder) => this.scanners.some(({ scanner }) => scanner.knowsFolder(folder)),
    );
    return this.concern.covers(file);
  }

  /**
   * Whether all inputs are as that snapshot saw them, found out in slices that leave the thread to others; undefined when the
   * signal ended it first.
   */
  async isStill(earlier: ProjectSnapshot, signal: AbortSignal): Promise<boolean | undefined> {
    if ([...this.links].some(([given, real]) => realIfPresent(given) !== real)) return false;
    const { scanners, places } = this;
    const scans: (TreeScan | undefined)[] = [];
    for (const { scanner } of scanners) {
      const steps = scanner.lookSteps();
      for (let sliceEndMs = performance.now() + sliceMs; ;) {
        const step = steps.next();
        if (step.done === true) {
          scans.push(step.value);
          break;
        }
        if (performance.now() < sliceEndMs) continue;
        await setImmediate();
        if (signal.aborted) return undefined;
        sliceEndMs = performance.now() + sliceMs;
      }
    }
    return new ProjectSnapshot(scans, places, this.hasher, []).saw(earlier);
  }
}

/** Links that lead to links. */
const deepestLinks = 16;

/** A save waits no longer than this for a look that nobody needs any more. */
const sliceMs = 10;

/** A folder that a watcher has to look at; with `only`, for the sake of that child. */
export interface WatchedPlace extends ScannedFolder {
  only?: string;
}

function nearestAbove(missing: string): WatchedPlace[] {
  for (let child = missing; child !== path.dirname(child); child = path.dirname(child)) {
    const found = childOf(path.dirname(child), path.basename(child));
    if (found.length > 0) return found;
  }
  return [];
}

function childOf(folder: string, only: string): WatchedPlace[] {
  const identity = folderIdentity(folder);
  return identity === undefined ? [] : [{ path: folder, identity, only }];
}

/** The inputs at one moment. */
export class ProjectSnapshot {
  private readonly scans: (TreeScan | undefined)[];
  private readonly places: Map<string, Place>;
  private readonly hasher: ContentHasher;
  private readonly digests = new Map<string, string>();
  /** Inputs of which a file may be written again unseen, by its stat: their digest holds for this snapshot only. */
  private readonly unsettled = new Set<string>();

  private readonly awaited: readonly WatchedPlace[];

  constructor(
    scans: (TreeScan | undefined)[],
    places: Map<string, Place>,
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

const keys = new WeakMap<ScannedInput, string>();

function keyOf(input: ScannedInput): string {
  let key = keys.get(input);
  if (key === undefined) {
    const { include, exclude, gitignore, leaveOut } = input.filter;
    key = JSON.stringify([input.kind, input.path, include ?? [], exclude ?? [], gitignore ?? false, leaveOut ?? ""]);
    keys.set(input, key);
  }
  return key;
}

function topmostPaths(paths: readonly string[]): string[] {
  const result: string[] = [];
  for (const candidate of [...new Set(paths)].sort((a, b) => a.length - b.length)) {
    if (!result.some((root) => isWithin(root, candidate))) result.push(candidate);
  }
  return result;
}

function isWithin(root: string, candidate: string): boolean {
  return candidate === root || candidate.startsWith(root === "/" ? "/" : `${root}/`);
}
