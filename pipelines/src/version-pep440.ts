import { compareLists, compareNumbers, compareText } from "./version-order.ts";
import type { CompareVersions } from "./version-order.ts";

interface Pep440Version {
  epoch: string;
  /** Without trailing zeros. */
  release: string[];
  /** `a`, `b` or `rc` with its number. */
  pre?: [phase: string, number: string];
  post?: string;
  dev?: string;
  local: string[];
}

/**
 * Compares versions as PEP 440 specifies, such as `1!2.0rc1.post2.dev3+local.4`. Invalid versions sort before valid
 * ones, by their text.
 */
export const comparePep440: CompareVersions = (a, b) => {
  const [left, right] = [parsePep440(a), parsePep440(b)];
  if (left === undefined || right === undefined)
    return left === right ? compareText(a, b) : left === undefined ? -1 : 1;
  return (
    compareNumbers(left.epoch, right.epoch) ||
    compareLists(left.release, right.release, compareNumbers) ||
    comparePep440Pre(left, right) ||
    // A version without `post` is older than one with it; without `dev`, it is newer.
    comparePep440Optional(left.post, right.post, -1) ||
    comparePep440Optional(left.dev, right.dev, 1) ||
    compareLists(left.local, right.local, comparePep440Local)
  );
};

const pep440Pattern =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|beta|preview|pre|a|b|c|rc)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/;

const pep440Phases: Record<string, string> = { alpha: "a", beta: "b", c: "rc", pre: "rc", preview: "rc" };

function parsePep440(version: string): Pep440Version | undefined {
  const match = pep440Pattern.exec(version.trim().toLowerCase());
  if (match === null) return undefined;
  const [, epoch = "0", release = "", phase, phaseNumber, barePost, postWord, postNumber, devWord, devNumber, local] =
    match;
  return {
    epoch,
    release: withoutZeros(release.split(".")),
    pre: phase === undefined ? undefined : [pep440Phases[phase] ?? phase, phaseNumber || "0"],
    post: barePost ?? (postWord === undefined ? undefined : postNumber || "0"),
    dev: devWord === undefined ? undefined : devNumber || "0",
    local: local?.split(/[-_.]/) ?? [],
  };
}

/** Compares pre-releases: `1.0.dev1` < `1.0a1` < `1.0`, `1.0.post1`. */
function comparePep440Pre(a: Pep440Version, b: Pep440Version): number {
  const rank = ({ pre, post, dev }: Pep440Version): number =>
    pre !== undefined ? 1 : post === undefined && dev !== undefined ? 0 : 2;
  const difference = rank(a) - rank(b);
  if (difference !== 0 || a.pre === undefined || b.pre === undefined) return difference;
  return compareText(a.pre[0], b.pre[0]) || compareNumbers(a.pre[1], b.pre[1]);
}

/** Compares optional numbers. `none` is the result if only `a` is missing. */
function comparePep440Optional(a: string | undefined, b: string | undefined, none: -1 | 1): number {
  if (a !== undefined && b !== undefined) return compareNumbers(a, b);
  if (a === b) return 0;
  return a === undefined ? none : -none;
}

/** Compares segments of local versions. Words sort before numbers. */
function comparePep440Local(a: string, b: string): number {
  const [isNumber, otherIsNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber && otherIsNumber) return compareNumbers(a, b);
  return isNumber === otherIsNumber ? compareText(a, b) : isNumber ? 1 : -1;
}

/** Removes trailing zeros: `1.0.0` and `1` are the same version. */
function withoutZeros(parts: readonly string[]): string[] {
  const last = parts.findLastIndex((part) => !/^0+$/.test(part));
  return parts.slice(0, Math.max(last, 0) + 1);
}
