import { compareNumbers } from "./order.ts";
import type { Compare } from "./order.ts";

/** Debian's order (deb-version(7)): epoch, upstream version, revision; `~` comes before everything, even the end. */
export const compareDpkg: Compare = (a, b) => {
  const [left, right] = [parse(a), parse(b)];
  return compareNumbers(left.epoch, right.epoch) || compareParts(left.upstream, right.upstream) || compareParts(left.revision, right.revision);
};

function parse(version: string): { epoch: string; upstream: string; revision: string } {
  const [, epoch = "0", rest = ""] = /^(?:(\d+):)?(.*)$/s.exec(version.trim()) ?? [];
  const dash = rest.lastIndexOf("-");
  return { epoch, upstream: dash < 0 ? rest : rest.slice(0, dash), revision: dash < 0 ? "" : rest.slice(dash + 1) };
}

/** Runs of what is no digit by letters before all else, runs of digits by value, in turn; a run may be empty. */
function compareParts(a: string, b: string): number {
  const runs = (text: string): string[] => text.match(/\D+|\d+/g) ?? [];
  const [left, right] = [startingWithText(runs(a)), startingWithText(runs(b))];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [x = "", y = ""] = [left[index], right[index]];
    const difference = index % 2 === 0 ? compareRuns(x, y) : compareNumbers(x || "0", y || "0");
    if (difference !== 0) return difference;
  }
  return 0;
}

const startingWithText = (runs: string[]): string[] => (/^\d/.test(runs[0] ?? "") ? ["", ...runs] : runs);

function compareRuns(a: string, b: string): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = weight(a[index]) - weight(b[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function weight(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === "~") return -1;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}
