import { lstatSync, realpathSync } from "node:fs";
import path from "node:path";
import { literalPattern, PathTest, type TreeFilter } from "../tree/index.ts";
import { below, literalHead } from "./patterns-read.ts";

/** Where nothing is followed to: what is installed, git's own, ours. */
const elsewhere = new Set(["node_modules", ".git", ".fastloop"]);

/**
 * What the links of one input lead to, as patterns that select it beside the input's own. Only inside of the project, for
 * what lies outside is not sent; each target once, and none that holds the link itself: that is a loop.
 */
export class FollowedLinks {
  private readonly root: string;
  private readonly filter: TreeFilter;
  private readonly own: PathTest;

  /** `root` is the real path of the input's folder, the project. */
  constructor(root: string, filter: TreeFilter) {
    this.root = root;
    this.filter = filter;
    this.own = new PathTest(root, filter);
  }

  /** `links` are those that the input selects, relative to the root. */
  patterns(links: readonly string[]): string[] {
    const found = new Set<string>();
    for (const link of links) {
      const target = this.leadsTo(link);
      if (target !== undefined) found.add(literalPattern(target));
    }
    for (const pattern of this.filter.include ?? [])
      if (!pattern.startsWith("!")) for (const other of this.through(pattern)) found.add(other);
    return [...found].sort();
  }

  /** Relative to the root; undefined where it is nothing new. */
  private leadsTo(link: string): string | undefined {
    const target = this.targetOf(link);
    if (target === undefined || `${link}/`.startsWith(`${target}/`)) return undefined;
    return this.own.selects(target) || this.own.selectsFolder(target) ? undefined : target;
  }

  private targetOf(link: string): string | undefined {
    try {
      const target = path
        .relative(this.root, realpathSync.native(path.join(this.root, link)))
        .split(path.sep)
        .join("/");
      const segments = target.split("/");
      return target === "" || segments[0] === ".." || segments.some((segment) => elsewhere.has(segment))
        ? undefined
        : target;
    } catch {
      return undefined;
    }
  }

  /** An entry that names something behind a link: the link itself, and the same entry where the link leads to. */
  private through(pattern: string): string[] {
    const segments = literalHead(pattern).split("/");
    for (let length = 1; length <= segments.length; length++) {
      const link = segments.slice(0, length).join("/");
      const stats = link === "" ? undefined : lstatSync(path.join(this.root, link), { throwIfNoEntry: false });
      if (stats === undefined) return [];
      if (!stats.isSymbolicLink()) continue;
      const target = this.targetOf(link);
      if (target === undefined) return [literalPattern(link)];
      return [literalPattern(link), literalPattern(target) + below(pattern, length)];
    }
    return [];
  }
}
