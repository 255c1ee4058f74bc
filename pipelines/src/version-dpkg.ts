import { compareNumbers } from "./version-order.ts";
import type { CompareVersions } from "./version-order.ts";

/**
 * Compares versions as dpkg does (deb-version(7)): epoch, upstream version, revision. `~` sorts before even the end.
 */
export const compareDpkg: CompareVersions = (a, b) => {
  const [left, right] = [parseDpkg(a), parseDpkg(b)];
  return (
    compareNumbers(left.epoch, right.epoch) ||
    compareDpkgPart(left.upstream, right.upstream) ||
    compareDpkgPart(left.revision, right.revision)
  );
};

function parseDpkg(version: string): { epoch: string; upstream: string; revision: string } {
  const [, epoch = "0", rest = ""] = /^(?:(\d+):)?(.*)$/s.exec(version.trim()) ?? [];
  const dash = rest.lastIndexOf("-");
  return { epoch, upstream: dash < 0 ? rest : rest.slice(0, dash), revision: dash < 0 ? "" : rest.slice(dash + 1) };
}

/**
 * Compares runs of non-digits and runs of digits in turn: non-digits with letters before other characters, digits by
 * value. A run may be empty.
 */
function compareDpkgPart(a: string, b: string): number {
  const runs = (text: string): string[] => text.match(/\D+|\d+/g) ?? [];
  const [left, right] = [startingWithText(runs(a)), startingWithText(runs(b))];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [x = "", y = ""] = [left[index], right[index]];
    const difference = index % 2 === 0 ? compareDpkgRuns(x, y) : compareNumbers(x || "0", y || "0");
    if (difference !== 0) return difference;
  }
  return 0;
}

const startingWithText = (runs: string[]): string[] => (/^\d/.test(runs[0] ?? "") ? ["", ...runs] : runs);

function compareDpkgRuns(a: string, b: string): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = dpkgWeight(a[index]) - dpkgWeight(b[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function dpkgWeight(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === "~") return -1;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}
