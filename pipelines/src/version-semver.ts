import { compareLists, compareNumbers, compareText } from "./version-order.ts";
import type { CompareVersions } from "./version-order.ts";

/**
 * Compares versions as Semantic Versioning 2.0 specifies (npm, crates.io, Go). Accepts a leading `v` and missing parts,
 * as OSV does. The npm package `semver` rejects those, and numbers above 2^53, which advisories have. It would also be
 * a dependency, which an engine installs before the module's first call.
 */
export const compareSemver: CompareVersions = (a, b) => {
  const [left, right] = [parseSemver(a), parseSemver(b)];
  const release = compareLists(left.release, right.release, compareNumbers);
  if (release !== 0) return release;
  // A pre-release is older than the release.
  if (left.pre.length === 0 || right.pre.length === 0) return right.pre.length - left.pre.length;
  return compareLists(left.pre, right.pre, compareSemverIdentifiers);
};

function parseSemver(version: string): { release: string[]; pre: string[] } {
  const [, release = "", pre = ""] = /^[v=\s]*([\d.]*)-?([^+]*)/s.exec(version.trim()) ?? [];
  const numbers = release.split(".").map((part) => part || "0");
  while (numbers.length < 3) numbers.push("0");
  return { release: numbers, pre: pre === "" ? [] : pre.split(".") };
}

/** Compares pre-release identifiers: numbers by value, before words, which compare by ASCII. */
function compareSemverIdentifiers(a: string, b: string): number {
  const [isNumber, otherIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber && otherIsNumber) return compareNumbers(a, b);
  if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
  return compareText(a, b);
}
