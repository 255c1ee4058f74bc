import { literalPattern, PathTest, PatternMatcher, type TreeFilter } from "../tree/index.ts";
import { firstLink, restsBehind } from "./patterns-read.ts";
import { wayOfLink } from "./way-of-link.ts";

/**
 * What the links of one input lead to, as patterns that select it beside the input's own. Only inside of the project, for
 * what lies outside is not sent; each target once, and none that holds the link itself: that is a loop. The links on the way
 * count too, and a target that is not there yet: its coming is a change.
 */
export class FollowedLinks {
  private readonly root: string;
  private readonly include: readonly string[];
  private readonly own: PathTest;
  /** What is left out wherever it lies. */
  private readonly rules: PathTest;

  /** `root` is the real path of the input's folder, the project. */
  constructor(root: string, filter: TreeFilter) {
    this.root = root;
    this.include = filter.include ?? ["**"];
    this.own = new PathTest(root, filter);
    this.rules = new PathTest(root, { ...filter, include: [] });
  }

  /**
   * `links` are all in folders that the input enters, relative to the root; `packages` are links that are followed wherever
   * they lie.
   */
  patterns(links: readonly string[], packages: readonly string[] = []): string[] {
    const found = new Set<string>();
    // A set goes on with what is added to it while it is gone through.
    const read = new Set(this.include.filter((pattern) => !pattern.startsWith("!")));
    const follow = (link: string, rests: readonly string[]): void => {
      const way = wayOfLink(this.root, link);
      for (const place of [link, ...way.links]) if (!this.own.selects(place)) found.add(literalPattern(place));
      const { target } = way;
      if (target === undefined || `${link}/`.startsWith(`${target}/`)) return;
      for (const rest of rests) {
        if (rest === "" && (this.own.selects(target) || this.own.selectsFolder(target))) continue;
        const pattern = literalPattern(target) + rest;
        found.add(pattern);
        read.add(pattern);
      }
    };
    for (const link of packages) follow(link, [""]);
    for (const pattern of read) {
      const named = firstLink(pattern, this.root);
      const restsOf = restsBehind(pattern);
      for (const link of named === undefined ? links : [named, ...links]) {
        const rests = restsOf(link);
        if (rests.length > 0 && !this.isOut(link, pattern, link === named)) follow(link, rests);
      }
    }
    return [...found].sort();
  }

  /** Whether a later entry takes the link out, or what holds for all files; not where the pattern names it. */
  private isOut(link: string, pattern: string, isNamed: boolean): boolean {
    const later = this.include.slice(this.include.indexOf(pattern) + 1).flatMap(exception);
    if (later.length > 0 && new PatternMatcher(later).matches(link)) return true;
    return !isNamed && !this.rules.selects(link) && !this.rules.mayHold(link);
  }
}

function exception(pattern: string): string[] {
  return pattern.startsWith("!") ? [pattern.slice(1)] : [];
}
