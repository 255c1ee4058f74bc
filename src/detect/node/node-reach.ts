/** Finds the packages of a workspace that affect one of them. */
import path from "node:path";
import { below, joined } from "../files.ts";
import type { ProjectFiles } from "../types.ts";
import { closure, type NodePackage } from "./node-workspace.ts";

const source = /\.[cm]?[jt]sx?$/;
const mostSources = 2000;
const upwards = /["'`](?:\.\/)?(\.\.\/[^"'`\n]{1,300})["'`]/g;

/**
 * Returns the packages that a package depends on, by its manifest or by paths in its sources (`../other/src/x.js`),
 * directly or indirectly.
 */
export function reachOf(files: ProjectFiles, packages: readonly NodePackage[], member: NodePackage): NodePackage[] {
  const found = new Set<NodePackage>();
  const waiting = [member];
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    for (const one of closure(packages, each)) {
      if (found.has(one)) continue;
      found.add(one);
      waiting.push(...namedByPath(files, packages, one));
    }
  }
  return [...found];
}

/** Cached by package, as many suites of a workspace need the same. */
const known = new WeakMap<NodePackage, NodePackage[]>();

function namedByPath(files: ProjectFiles, packages: readonly NodePackage[], member: NodePackage): NodePackage[] {
  const before = known.get(member);
  if (before !== undefined) return before;
  const byFolder = new Map(packages.filter(({ folder }) => folder !== "").map((each) => [each.folder, each]));
  const found = new Set<NodePackage>();
  // The root contains all other packages.
  const sources = member.folder === "" ? [] : below(files, member.folder).filter((file) => source.test(file));
  for (const file of sources.slice(0, mostSources).map((each) => joined(member.folder, each)))
    for (const [, named = ""] of files.read(file).matchAll(upwards)) {
      const owner = ownerOf(path.posix.join(path.posix.dirname(file), named), byFolder);
      if (owner !== undefined && owner !== member) found.add(owner);
    }
  known.set(member, [...found]);
  return [...found];
}

function ownerOf(place: string, byFolder: ReadonlyMap<string, NodePackage>): NodePackage | undefined {
  for (let at = place; at !== "." && !at.startsWith(".."); at = path.posix.dirname(at)) {
    const owner = byFolder.get(at);
    if (owner !== undefined) return owner;
  }
  return undefined;
}
