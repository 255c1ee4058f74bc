import { compareLists, compareNumbers, compareText } from "./version-order.ts";
import type { CompareVersions } from "./version-order.ts";

/**
 * Semantic Versioning 2.0, as npm, crates.io and Go have it; `v` in front and missing parts are let pass, as OSV does.
 * The package `semver` refuses those, and numbers above 2^53, which advisories have; and an engine would fetch a module's
 * packages from their registry before the first call.
 */
export const compareSemver: CompareVersions = (a, b) => {
  const [left, right] = [parseSemver(a), parseSemver(b)];
  const release = compareLists(left.release, right.release, compareNumbers);
  if (release !== 0) return release;
  // What has a pre-release comes before what has none.
  if (left.pre.length === 0 || right.pre.length === 0) return right.pre.length - left.pre.length;
  return compareLists(left.pre, right.pre, compareSemverIdentifiers);
};

function parseSemver(version: string): { release: string[]; pre: string[] } {
  const [, release = "", pre = ""] = /^[v=\s]*([\d.]*)-?([^+]*)/s.exec(version.trim()) ?? [];
  const numbers = release.split(".").map((part) => part || "0");
  while (numbers.length < 3) numbers.push("0");
  return { release: numbers, pre: pre === "" ? [] : pre.split(".") };
}

/** Numbers by value and before words, words by ASCII. */
function compareSemverIdentifiers(a: string, b: string): number {
  const [isNumber, otherIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber && otherIsNumber) return compareNumbers(a, b);
  if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
  return compareText(a, b);
}
