import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { recordingIn } from "../../paths/index.ts";
import {
  folderIdentity,
  sharingReads,
  type ContentHasher,
  type ScanRecorder,
  type StatAhead,
  type TreeFilter,
  type TreeScan,
} from "../../tree/index.ts";
import { Arrangement } from "./arrangement.ts";
import { Concern } from "./concern.ts";
import { LinksOfInputs } from "./links-of-inputs.ts";
import { ProjectSnapshot, type WatchedPlace } from "./project-snapshot.ts";
import type { ScannedInput } from "../inputs/scanned-input.ts";

/** Scans all inputs of all targets in as few walks as possible. Missing inputs count too: their absence is hashed. */
export class ProjectScanner {
  private readonly inputs: readonly ScannedInput[];
  private readonly carried: readonly ScannedInput[];
  private readonly hasher: ContentHasher;
  private readonly links = new LinksOfInputs();
  private arrangement: Arrangement;
  private concern: Concern | undefined;

  /** `carried` is scanned with the inputs so that it can be sent; its changes do not count. */
  constructor(inputs: readonly ScannedInput[], hasher: ContentHasher, carried: readonly ScannedInput[] = []) {
    this.inputs = inputs;
    this.carried = carried;
    this.hasher = hasher;
    this.arrangement = this.arrange();
  }

  private arrange(): Arrangement {
    this.concern = undefined;
    return new Arrangement(this.inputs, this.carried, (input) => this.effective(input));
  }

  /** Identifies the inputs, their filters and their current real paths. */
  get key(): unknown {
    return [this.arrangement.key, this.inputs.map(({ follow }) => follow === true)];
  }

  /** Scans everything for the first time and records in `seen` what was read. `ahead` has checked some files already. */
  scanNoting(seen: ScanRecorder | undefined, ahead?: ReadonlyMap<string, StatAhead>): ProjectSnapshot {
    const before = JSON.stringify(this.key);
    const snapshot = recordingIn(seen, () => this.scan(undefined, undefined, ahead));
    if (JSON.stringify(this.key) !== before) seen?.doubtful("a link that inputs are read through moved");
    return snapshot;
  }

  /**
   * Returns a snapshot with the digests of an earlier scan, in the order of the places, when nothing changed since. If
   * it needs a scan after all, `seen` records that.
   */
  asFound(digests: readonly (string | undefined)[], seen?: ScanRecorder): ProjectSnapshot {
    return ProjectSnapshot.asFound(digests, this.arrangement.places, this.hasher, () => this.scanNoting(seen));
  }

  /**
   * Scans everything, or after hints the folders of the hinted paths, using `lstat` only; contents are read when a
   * digest needs them. `beforeRead` is called with each folder just before it is read; `ahead` holds files that were
   * already read.
   */
  scan(
    changed?: ReadonlySet<string>,
    beforeRead?: (folder: WatchedPlace) => void,
    ahead?: ReadonlyMap<string, StatAhead>,
  ): ProjectSnapshot {
    const has = (rules: ReadonlySet<string>): boolean => [...(changed ?? [])].some((file) => rules.has(file));
    // Ignore files may have other rules now, and git's configuration may name another one.
    const otherRules = has(this.arrangement.rules);
    const moved = this.arrangement.hasMovedLink(changed) || otherRules;
    if (moved) this.arrangement = this.arrange();
    const { rules } = this.arrangement;
    if (changed === undefined || otherRules || [...changed].some((file) => file.endsWith("/.gitignore")))
      this.concern = undefined;
    const awaited: WatchedPlace[] = [...this.arrangement.links.keys(), ...rules].flatMap((given) =>
      childOf(path.dirname(given), path.basename(given)),
    );
    let scans = sharingReads(() =>
      this.arrangement.walks.map(({ root, scanner }) => {
        const scan = scanner.scanIfPresent(moved ? undefined : changed, beforeRead, ahead);
        // Nothing inside the folder would report its creation, or that it became readable.
        if (scan === undefined || scan.listing.unreadable.some((item) => item.path === ""))
          awaited.push(...nearestAbove(root));
        return scan;
      }),
    );
    // The target of a followed link may contain links itself.
    for (let depth = 0; depth < deepestLinks && this.links.follow(this.inputs, this.arrangement, scans); depth++) {
      this.arrangement = this.arrange();
      scans = this.arrangement.walks.map(({ scanner }) => scanner.scanIfPresent(undefined, beforeRead));
    }
    awaited.push(...this.links.installed.folders.flatMap(watchedFolder));
    return new ProjectSnapshot(scans, this.arrangement.places, this.hasher, awaited);
  }

  /** Follows links as a scan does, without reading files. */
  followLinks(): void {
    if (!this.inputs.some(({ follow }) => follow === true)) return;
    for (let depth = 0; depth <= deepestLinks; depth++) {
      const scans = sharingReads(() => this.arrangement.walks.map(({ scanner }) => scanner.names()));
      if (!this.links.follow(this.inputs, this.arrangement, scans)) return;
      this.arrangement = this.arrange();
    }
  }

  /** Returns the input's filter with the targets of its links at the last scan. */
  effective(input: ScannedInput): TreeFilter {
    return this.links.effective(input);
  }

  /** Reports whether a path (absolute) affects the inputs; only then is a change there a reason to scan. */
  concerns(file: string): boolean {
    const { arrangement } = this;
    this.concern ??= new Concern(
      this.inputs.map((input) => {
        const { root, path: at } = arrangement.placeOf(input);
        return {
          input: { ...input, filter: this.effective(input) },
          real: path.join(arrangement.walks[root]!.root, at),
        };
      }),
      [...arrangement.links.keys(), ...arrangement.rules],
      (folder) => arrangement.knowsFolder(folder),
    );
    return this.concern.covers(file) || this.links.installed.mayBeLink(file);
  }

  /**
   * Reports whether all inputs are as that snapshot saw them. Runs in slices that yield the thread to others; undefined
   * if the signal aborted it.
   */
  async isStill(earlier: ProjectSnapshot, signal: AbortSignal): Promise<boolean | undefined> {
    if (this.arrangement.hasMovedLink()) return false;
    const { walks, places } = this.arrangement;
    const scans: (TreeScan | undefined)[] = [];
    for (const { scanner } of walks) {
      const steps = scanner.scanSteps();
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
    return this.links.isStill(scans) && new ProjectSnapshot(scans, places, this.hasher, []).saw(earlier);
  }
}

/** Limit of links that lead to links. */
const deepestLinks = 16;

/** A save waits at most this long for a scan that is no longer needed. */
const sliceMs = 10;

function nearestAbove(missing: string): WatchedPlace[] {
  for (let child = missing; child !== path.dirname(child); child = path.dirname(child)) {
    const found = childOf(path.dirname(child), path.basename(child));
    if (found.length > 0) return found;
  }
  return [];
}

function childOf(folder: string, only: string): WatchedPlace[] {
  return watchedFolder(folder).map((place) => ({ ...place, only }));
}

function watchedFolder(folder: string): WatchedPlace[] {
  const identity = folderIdentity(folder);
  return identity === undefined ? [] : [{ path: folder, identity }];
}
