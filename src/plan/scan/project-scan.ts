import path from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  folderIdentity,
  sharingReads,
  type ContentHasher,
  type StatAhead,
  type TreeFilter,
  type TreeScan,
} from "../../tree/index.ts";
import { Arrangement } from "./arrangement.ts";
import { Concern } from "./concern.ts";
import { LinksOfInputs } from "./links-of-inputs.ts";
import { ProjectSnapshot, type WatchedPlace } from "./project-snapshot.ts";
import type { ScannedInput } from "../inputs/scanned-input.ts";

/**
 * All inputs of all targets in as few walks as possible. Missing inputs are inputs too: their absence is what is hashed.
 */
export class ProjectScanner {
  private readonly inputs: readonly ScannedInput[];
  private readonly carried: readonly ScannedInput[];
  private readonly hasher: ContentHasher;
  private readonly links = new LinksOfInputs();
  private arrangement: Arrangement;
  private concern: Concern | undefined;

  /** `carried` is looked at with the inputs, to be sent; whether it is as it was means nothing. */
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

  /**
   * Looks at everything, or after hints at the folders of the paths that they name; `lstat` only, contents are read when
   * a digest asks for them. `beforeRead` is told each folder just before it is read; `ahead` has looked at files already.
   */
  scan(
    changed?: ReadonlySet<string>,
    beforeRead?: (folder: WatchedPlace) => void,
    ahead?: ReadonlyMap<string, StatAhead>,
  ): ProjectSnapshot {
    const has = (rules: ReadonlySet<string>): boolean => [...(changed ?? [])].some((file) => rules.has(file));
    // Ignore files may say something else by now, and git's configuration name another one.
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
        // Nothing there tells of its arrival, or of being made readable.
        if (scan === undefined || scan.listing.unreadable.some((item) => item.path === ""))
          awaited.push(...nearestAbove(root));
        return scan;
      }),
    );
    // What a followed link leads to may hold links itself.
    for (let depth = 0; depth < deepestLinks && this.links.follow(this.inputs, this.arrangement, scans); depth++) {
      this.arrangement = this.arrange();
      scans = this.arrangement.walks.map(({ scanner }) => scanner.scanIfPresent(undefined, beforeRead));
    }
    awaited.push(...this.links.installed.folders.flatMap(watchedFolder));
    return new ProjectSnapshot(scans, this.arrangement.places, this.hasher, awaited);
  }

  /** Follows links as a scan does, and looks at no file for it. */
  followLinks(): void {
    if (!this.inputs.some(({ follow }) => follow === true)) return;
    for (let depth = 0; depth <= deepestLinks; depth++) {
      const scans = sharingReads(() => this.arrangement.walks.map(({ scanner }) => scanner.names()));
      if (!this.links.follow(this.inputs, this.arrangement, scans)) return;
      this.arrangement = this.arrange();
    }
  }

  /** The input's filter with what its links led to at the last scan. */
  effective(input: ScannedInput): TreeFilter {
    return this.links.effective(input);
  }

  /** Whether a path (absolute) has anything to do with the inputs: only then is a change there a reason to look. */
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
   * Whether all inputs are as that snapshot saw them, found out in slices that leave the thread to others; undefined when the
   * signal ended it first.
   */
  async isStill(earlier: ProjectSnapshot, signal: AbortSignal): Promise<boolean | undefined> {
    if (this.arrangement.hasMovedLink()) return false;
    const { walks, places } = this.arrangement;
    const scans: (TreeScan | undefined)[] = [];
    for (const { scanner } of walks) {
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
    return this.links.isStill(scans) && new ProjectSnapshot(scans, places, this.hasher, []).saw(earlier);
  }
}

/** Links that lead to links. */
const deepestLinks = 16;

/** A save waits no longer than this for a look that nobody needs any more. */
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
