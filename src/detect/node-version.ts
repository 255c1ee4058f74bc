import { satisfies, coerce, validRange } from "semver";

/** Majors of Node that have images, the one that is taken where nothing decides first. */
const majors = [22, 24, 20, 18, 25, 23, 16];

/** The major of Node that a repository wants: what it pins, else the first of ours that `engines` allows. */
export function nodeMajor(pinned: string, engines: string, available: readonly number[] = []): number | undefined {
  const exact = /^v?(\d+)/.exec(pinned.trim())?.[1];
  const wanted = validRange(engines) === null ? "*" : engines;
  const allows = (major: number): boolean => satisfies(`${major}.99.99`, wanted) || satisfies(`${major}.0.0`, wanted);
  if (exact !== undefined) {
    // A machine without an image registry has few: one that `engines` allows is better than none.
    if (available.length === 0 || available.includes(Number(exact))) return Number(exact);
  }
  return [...available, ...majors].find(allows) ?? (exact === undefined ? undefined : Number(exact));
}

export const isMajorAtLeast = (version: string, major: number): boolean => (coerce(version)?.major ?? 0) >= major;
