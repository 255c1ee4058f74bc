import { lstatSync } from "node:fs";
import path from "node:path";
import { literalPattern, PatternMatcher } from "../../tree/index.ts";

/** The part of a pattern before its first segment with a wildcard, as a path without slashes at its ends; "" where there is none. */
export function literalHead(pattern: string): string {
  const { head } = readPattern(pattern);
  return head.join("/");
}

/** The one path that a pattern means: it has no wildcard, what is escaped is itself; undefined where there is one. */
export function literalPath(pattern: string): string | undefined {
  const { head, rest } = readPattern(pattern);
  return rest.length === 0 ? head.join("/") : undefined;
}

/** The first link, relative to the root, that a pattern names in its part before the first wildcard. */
export function firstLink(pattern: string, root: string): string | undefined {
  const { head } = readPattern(pattern);
  for (let length = 1; length <= head.length; length++) {
    const link = head.slice(0, length).join("/");
    const stats = link === "" ? undefined : lstatSync(path.join(root, link), { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (stats.isSymbolicLink()) return link;
  }
  return undefined;
}

/**
 * What is left of a pattern where a folder's path has been matched with its beginning, as patterns with their slash in
 * front: "" for all that is in it. `**` may stand for some of the path's names or for all, so there can be several.
 */
export function restsBehind(pattern: string): (folder: string) => string[] {
  const { head, rest } = readPattern(pattern);
  const segments = [...head.map(literalPattern), ...rest];
  const tests = segments.map((segment, index) => {
    if (index < head.length) return (name: string): boolean => name === head[index];
    const matcher = segment.includes("**") ? undefined : new PatternMatcher([segment]);
    return (name: string): boolean => matcher?.matches(name) === true;
  });
  const textFrom = (index: number): string =>
    segments
      .slice(index)
      .map((segment) => `/${segment}`)
      .join("");
  return (folder) => {
    let reached = withSkipped(segments, [0]);
    for (const name of folder.split("/")) {
      const next: number[] = [];
      for (const index of reached) {
        const segment = segments[index];
        if (segment === undefined || segment === "**") next.push(index);
        // Stars that cross folders within a name: anything may follow.
        else if (segment.includes("**")) next.push(segments.length);
        else if (tests[index]!(name)) next.push(index + 1);
      }
      if (next.length === 0) return [];
      reached = withSkipped(segments, next);
    }
    return [...new Set(reached.map(textFrom))];
  };
}

/** `**` stands for no folder, too; but at the end for all that is in one. */
function withSkipped(segments: readonly string[], given: readonly number[]): number[] {
  const reached = new Set(given);
  for (const index of reached) if (segments[index] === "**") reached.add(index + 1);
  return [...reached];
}

function readPattern(pattern: string): { head: string[]; rest: string[] } {
  const segments = cleaned(pattern).split("/");
  const wild = segments.findIndex((segment) => /[*?[\]]|\\$/.test(segment.replaceAll(/\\./gs, "")));
  const count = wild < 0 ? segments.length : wild;
  return {
    head: segments.slice(0, count).map((segment) => segment.replaceAll(/\\(.)/gs, "$1")),
    rest: segments.slice(count),
  };
}

/** As patterns are read: without `!`, relative to the root, without a slash at the end. */
export function cleaned(pattern: string): string {
  const clean = path.posix.normalize(pattern.trim().replace(/^!/, "")).replace(/^\/+/, "").replace(/\/+$/, "");
  return clean === "." ? "" : clean;
}
