import { lstatSync } from "node:fs";
import path from "node:path";
import { currentRecorder } from "../../paths/index.ts";
import { literalPattern, PatternMatcher } from "../../tree/index.ts";

/**
 * Returns the part of a pattern before its first segment with a wildcard, as a path without slashes at its ends; "" if
 * there is none.
 */
export function literalHead(pattern: string): string {
  const { head } = readPattern(pattern);
  return head.join("/");
}

/**
 * Returns the single path that a pattern without wildcards means, with escapes resolved; undefined if it has wildcards.
 */
export function literalPath(pattern: string): string | undefined {
  const { head, rest } = readPattern(pattern);
  return rest.length === 0 ? head.join("/") : undefined;
}

/** Returns the first link, relative to the root, in the part of a pattern before its first wildcard. */
export function firstLink(pattern: string, root: string): string | undefined {
  const { head } = readPattern(pattern);
  for (let length = 1; length <= head.length; length++) {
    const link = head.slice(0, length).join("/");
    if (link !== "") currentRecorder()?.link(path.join(root, link));
    const stats = link === "" ? undefined : lstatSync(path.join(root, link), { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (stats.isSymbolicLink()) return link;
  }
  return undefined;
}

/**
 * Returns a function that matches a folder's path with the beginning of a pattern and returns the rest, as patterns
 * with a leading slash; "" stands for the folder with everything in it. `**` may stand for any number of names, so
 * there may be several.
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
        // Stars within a name may cross folders here, so anything may follow.
        else if (segment.includes("**")) next.push(segments.length);
        else if (tests[index]!(name)) next.push(index + 1);
      }
      if (next.length === 0) return [];
      reached = withSkipped(segments, next);
    }
    return [...new Set(reached.map(textFrom))];
  };
}

/** `**` may also stand for no folder; at the end it stands for everything inside one. */
function withSkipped(segments: readonly string[], given: readonly number[]): number[] {
  const reached = new Set(given);
  for (const index of reached) if (segments[index] === "**") reached.add(index + 1);
  return [...reached];
}

interface PatternParts {
  head: readonly string[];
  rest: readonly string[];
}

/** Cached, as each check of a project's entries reads all of them. */
const parts = new Map<string, PatternParts>();
const mostParts = 10_000;

function readPattern(pattern: string): PatternParts {
  const known = parts.get(pattern);
  if (known !== undefined) return known;
  if (parts.size >= mostParts) parts.clear();
  const read = partsOf(pattern);
  parts.set(pattern, read);
  return read;
}

function partsOf(pattern: string): PatternParts {
  const segments = cleaned(pattern).split("/");
  const wild = segments.findIndex((segment) => /[*?[\]]|\\$/.test(segment.replaceAll(/\\./gs, "")));
  const count = wild < 0 ? segments.length : wild;
  return {
    head: segments.slice(0, count).map((segment) => segment.replaceAll(/\\(.)/gs, "$1")),
    rest: segments.slice(count),
  };
}

/** Normalizes a pattern: without `!`, relative to the root, without a slash at the end. */
export function cleaned(pattern: string): string {
  const clean = path.posix.normalize(pattern.trim().replace(/^!/, "")).replace(/^\/+/, "").replace(/\/+$/, "");
  return clean === "." ? "" : clean;
}
