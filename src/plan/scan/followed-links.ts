import path from "node:path";
import { currentRecorder, isWithin, statIfThere } from "../../paths/index.ts";
import { literalPattern, PathTest, PatternMatcher, type TreeFilter } from "../../tree/index.ts";
import { firstLink, literalHead, restsBehind } from "../inputs/patterns-read.ts";
import { SortedPaths } from "../inputs/sorted-paths.ts";
import { followLink, type FollowedLink } from "../inputs/follow-link.ts";

/** Where a link leads, and whether that is a file, which nothing can be inside of. */
type Led = FollowedLink & { isFile: boolean };

/** Targets of links, each followed only once per scan, however many inputs and entries ask. */
export class LinkTargets {
  private readonly byPlace = new Map<string, Led>();

  /** `link` is relative to `root`, a real path. */
  of(root: string, link: string): Led {
    const place = `${root}\0${link}`;
    let led = this.byPlace.get(place);
    if (led === undefined) {
      const way = followLink(root, link);
      if (way.target !== undefined) currentRecorder()?.kind(path.join(root, way.target));
      led = {
        ...way,
        isFile: way.target !== undefined && statIfThere(path.join(root, way.target))?.isDirectory() === false,
      };
      this.byPlace.set(place, led);
    }
    return led;
  }
}

/**
 * Converts what the links of one input lead to into patterns that select it in addition to the input's own. Only
 * targets inside the project count, as nothing outside is sent; each target counts once, and none that contains the
 * link itself, which would be a loop. Links on the way count too, and so does a missing target, as its creation is a
 * change. What the entries select by themselves gets no pattern: a project may have thousands of links, and every file
 * is tested against every pattern.
 */
export class FollowedLinks {
  private readonly root: string;
  private readonly include: readonly string[];
  private readonly led: LinkTargets;
  private readonly own: PathTest;
  /** Excludes that apply wherever a file is. */
  private readonly rules: PathTest;
  /** Position of each entry that includes. */
  private readonly positions = new Map<string, number>();
  /** Entries that exclude, the last first. */
  private readonly exceptions: { position: number; matcher: PatternMatcher }[] = [];
  private readonly lastOut = new Map<string, number>();

  /** `root` is the real path of the input's folder, the project. */
  constructor(root: string, filter: TreeFilter, led = new LinkTargets()) {
    this.root = root;
    this.include = filter.include ?? ["**"];
    this.led = led;
    this.own = new PathTest(root, filter);
    this.rules = new PathTest(root, { ...filter, include: [] });
    for (const [position, pattern] of this.include.entries()) {
      if (pattern.startsWith("!")) {
        this.exceptions.push({ position, matcher: new PatternMatcher([pattern.slice(1)]) });
      } else if (!this.positions.has(pattern)) this.positions.set(pattern, position);
    }
    this.exceptions.reverse();
  }

  /**
   * `links` are all links in folders that the input enters, relative to the root; `packages` are links that are
   * followed wherever they are.
   */
  patterns(links: readonly string[], packages: readonly string[] = []): string[] {
    const found = new Set<string>();
    const all = new SortedPaths(links);
    // Iterating a set includes items that are added meanwhile.
    const read = new Set(this.include.filter((pattern) => !pattern.startsWith("!")));
    const follow = (link: string, rests: readonly string[], restsOf: (folder: string) => readonly string[]): void => {
      const { target, links: passed, isFile: endsThere } = this.led.of(this.root, link);
      const behind = endsThere ? rests.filter((rest) => rest === "") : rests;
      if (behind.length === 0) return;
      for (const place of [link, ...passed]) if (!this.own.selects(place)) found.add(literalPattern(place));
      if (target === undefined || isWithin(target, link)) return;
      // What the same entry selects in the target itself need not be repeated.
      const said = restsOf(target);
      for (const rest of behind) {
        if (said.includes(rest) || this.isSelected(target, rest)) continue;
        const pattern = literalPattern(target) + rest;
        found.add(pattern);
        read.add(pattern);
      }
    };
    for (const link of packages) follow(link, [""], () => []);
    for (const pattern of read) {
      const named = firstLink(pattern, this.root);
      const restsOf = restsBehind(pattern);
      const isOut = this.outOf(pattern);
      // A link in the part before the first wildcard is named explicitly; no walk gets behind it.
      for (const link of new Set([...(named === undefined ? [] : [named]), ...all.below(literalHead(pattern))])) {
        const rests = restsOf(link);
        if (rests.length > 0 && !isOut(link, link === named)) follow(link, rests, restsOf);
      }
    }
    return [...found].sort();
  }

  /** Reports whether the entries by themselves select what a pattern of the target and this rest would. */
  private isSelected(target: string, rest: string): boolean {
    if (rest !== "" && rest !== "/**") return false;
    return this.own.selectsFolder(target) || (rest === "" && this.own.selects(target));
  }

  /**
   * Returns a test for whether a later entry excludes a link, or a rule for all files does, unless the pattern names
   * it.
   */
  private outOf(pattern: string): (link: string, isNamed: boolean) => boolean {
    const position = this.positions.get(pattern) ?? -1;
    return (link, isNamed) => {
      if (this.lastExceptionFor(link) > position) return true;
      return !isNamed && !this.rules.selects(link) && !this.rules.mayHold(link);
    };
  }

  /** Returns the position of the last entry that excludes a link, else -1; found once for all the entries before it. */
  private lastExceptionFor(link: string): number {
    let position = this.lastOut.get(link);
    if (position === undefined) {
      position = this.exceptions.find(({ matcher }) => matcher.matches(link))?.position ?? -1;
      this.lastOut.set(link, position);
    }
    return position;
  }
}
