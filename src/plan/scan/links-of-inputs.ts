import { readlinkSync } from "node:fs";
import path from "node:path";
import { currentRecorder, isWithin } from "../../paths/index.ts";
import { PathTest, type TreeFilter, type TreeScan } from "../../tree/index.ts";
import { keyOf, type Arrangement } from "./arrangement.ts";
import { FollowedLinks, LinkTargets } from "./followed-links.ts";
import { InstalledLinks } from "./installed-links.ts";
import { literalHead, literalPath } from "../inputs/patterns-read.ts";
import type { ScannedInput } from "../inputs/scanned-input.ts";

/**
 * Follows the links of inputs, scan by scan, as the target of a followed link may contain links itself. Links are those
 * that an input selects, those that its entries pass, and, in the `node_modules` of packages that it selects, those to
 * other packages of the project.
 */
export class LinksOfInputs {
  readonly installed = new InstalledLinks();
  /** Patterns for each input's links, by its key, when they were followed last. */
  private readonly followed = new Map<string, string[]>();
  /** Links that scans passed, with their targets; undefined if no input follows links. */
  private passed: string | undefined;

  /**
   * Returns the input's filter with the targets of its links. The input's own entries come after them, so that `!`
   * excludes from these too.
   */
  effective(input: ScannedInput): TreeFilter {
    const others = this.followed.get(keyOf(input));
    return others === undefined
      ? input.filter
      : { ...input.filter, include: [...others, ...(input.filter.include ?? [])] };
  }

  /** Follows the links of the inputs; returns whether they lead elsewhere than before. */
  follow(inputs: readonly ScannedInput[], arrangement: Arrangement, scans: readonly (TreeScan | undefined)[]): boolean {
    if (!inputs.some((input) => input.follow === true)) return false;
    const before = JSON.stringify([...this.followed]);
    const links = scans.map((scan) =>
      (scan?.listing.entries ?? []).flatMap((entry) => (entry.type === "symlink" ? [entry.path] : [])),
    );
    const asked = new Set<string>();
    const led = new LinkTargets();
    this.passed = textOfPassed(scans);
    for (const input of inputs) {
      if (input.follow !== true) continue;
      const { root, path: at, selection } = arrangement.placeOf(input);
      const scan = scans[root];
      if (scan === undefined) continue;
      const cut = at === "" ? 0 : at.length + 1;
      const inside = [...links[root]!, ...scan.passedLinks]
        .filter((link) => link !== at && isWithin(at, link))
        .map((link) => link.slice(cut));
      const packages = this.workspaceLinks(input, scan, at, selection, asked);
      if (inside.length + packages.length === 0 && !this.mayPassLinks(input, arrangement)) continue;
      const base = path.join(scan.listing.root, at);
      const patterns = new FollowedLinks(base, input.filter, led).patterns(inside, packages);
      if (patterns.length > 0) this.followed.set(keyOf(input), patterns);
      else this.followed.delete(keyOf(input));
    }
    this.installed.keepOnly(asked);
    return JSON.stringify([...this.followed]) !== before;
  }

  /** Reports whether the links in these scans are those seen when they were followed last. */
  isStill(scans: readonly (TreeScan | undefined)[]): boolean {
    return this.installed.isStill() && (this.passed === undefined || textOfPassed(scans) === this.passed);
  }

  /**
   * Returns links to packages of the project, relative to the input: all in the `node_modules` of a folder that it
   * selects (pnpm puts there what that package needs), and in those of parent folders (npm, yarn and bun put all
   * packages there) the ones that a selected `package.json` names.
   */
  private workspaceLinks(
    input: ScannedInput,
    scan: TreeScan,
    at: string,
    selection: number,
    asked: Set<string>,
  ): string[] {
    const { root, entries } = scan.listing;
    const prefix = at === "" ? "" : `${at}/`;
    const base = path.join(root, at);
    const folders = scan.installed.filter((folder) => folder === at || folder.startsWith(prefix));
    if (folders.length === 0) return [];
    // Tests as if installed packages were not left out.
    const { include, exclude } = this.effective(input);
    const test = new PathTest(base, { include, exclude });
    const found = new Set<string>();
    const above = new Map<string, Map<string, string>>();
    for (const folder of folders) {
      const absolute = path.join(root, folder);
      asked.add(path.join(absolute, "node_modules"));
      const links = this.installed.of(absolute);
      if (links.size === 0) continue;
      if (test.selectsFolder(path.posix.join(folder.slice(prefix.length), "node_modules")))
        for (const link of links.values()) found.add(link);
      else above.set(folder, links);
    }
    if (above.size > 0) {
      for (const index of scan.selections[selection]!) {
        const entry = entries[index]!;
        if (entry.type !== "file" || !isManifest(entry.path)) continue;
        for (const name of this.installed.neededBy(root, entry)) {
          const link = nearest(above, entry.path, name);
          if (link !== undefined) found.add(link);
        }
      }
    }
    return [...found].map((link) => path.relative(base, link).split(path.sep).join("/"));
  }

  /** Reports whether an entry may name something behind a link: one with a folder that no scan has entered. */
  private mayPassLinks(input: ScannedInput, arrangement: Arrangement): boolean {
    if (this.followed.has(keyOf(input))) return true;
    return (input.filter.include ?? []).some((pattern) => {
      const head = literalHead(pattern);
      const folder = literalPath(pattern) !== undefined ? path.posix.dirname(head) : head;
      return folder !== "." && folder !== "" && !arrangement.knowsFolder(path.join(input.path, folder));
    });
  }
}

function textOfPassed(scans: readonly (TreeScan | undefined)[]): string {
  return JSON.stringify(
    scans.map((scan) => scan?.passedLinks.map((link) => [link, linkText(path.join(scan.listing.root, link))])),
  );
}

function linkText(file: string): string {
  currentRecorder()?.link(file);
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}

function isManifest(file: string): boolean {
  return file === "package.json" || file.endsWith("/package.json");
}

/** Returns the link of that name in the nearest folder above a file. */
function nearest(above: ReadonlyMap<string, Map<string, string>>, file: string, name: string): string | undefined {
  for (let folder = file; folder !== "";) {
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")));
    const link = above.get(folder)?.get(name);
    if (link !== undefined) return link;
  }
  return undefined;
}
