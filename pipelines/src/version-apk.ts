import { compareNumbers, compareText } from "./version-order.ts";
import type { CompareVersions } from "./version-order.ts";

/**
 * The kinds of parts, in their order in a version. If two versions first differ in a part's kind, the later kind is
 * older.
 */
const apkKinds = [
  "first",
  "digits",
  "letter",
  "suffix",
  "suffixNumber",
  "commit",
  "revision",
  "end",
  "invalid",
] as const;
type ApkKind = (typeof apkKinds)[number];

interface ApkPart {
  kind: ApkKind;
  text: string;
}

/**
 * Suffixes in ascending order. A version with one of the first four is older than without it; with the others, newer.
 */
const apkSuffixes = ["alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"];
const isPreRelease = ({ kind, text }: ApkPart): boolean => kind === "suffix" && apkSuffixes.indexOf(text) < 4;

/** Compares versions as Alpine does (apk-version(5), apk-tools 3), such as `1.2.3b_rc2~abcd-r4`. */
export const compareApk: CompareVersions = (a, b) => {
  const [left, right] = [parseApk(a), parseApk(b)];
  for (let index = 0; ; index++) {
    const [x, y] = [left[index] ?? apkEnd, right[index] ?? apkEnd];
    if (x.kind !== y.kind) {
      if (isPreRelease(x)) return -1;
      if (isPreRelease(y)) return 1;
      return apkKinds.indexOf(y.kind) - apkKinds.indexOf(x.kind);
    }
    if (x.kind === "end" || x.kind === "invalid") return 0;
    const difference = compareApkParts(x, y);
    if (difference !== 0) return difference;
  }
};

const apkEnd: ApkPart = { kind: "end", text: "" };

function compareApkParts(a: ApkPart, b: ApkPart): number {
  switch (a.kind) {
    case "digits":
      // With a leading zero, such as `1.05`, digits compare as a fraction, as in Gentoo.
      return a.text.startsWith("0") || b.text.startsWith("0")
        ? compareText(a.text, b.text)
        : compareNumbers(a.text, b.text);
    case "first":
    case "suffixNumber":
    case "revision":
      return compareNumbers(a.text, b.text);
    case "suffix":
      return apkSuffixes.indexOf(a.text) - apkSuffixes.indexOf(b.text);
    default:
      return compareText(a.text, b.text);
  }
}

function parseApk(version: string): ApkPart[] {
  const parts: ApkPart[] = [];
  const read = (kind: ApkKind, pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const match = pattern.exec(version);
    if (match === null) return false;
    at = pattern.lastIndex;
    parts.push({ kind, text: match[1]! });
    return true;
  };
  let at = 0;
  read("first", /(\d+)/y);
  while (read("digits", /\.(\d+)/y));
  read("letter", /([a-z])/y);
  while (read("suffix", /_(alpha|beta|pre|rc|cvs|svn|git|hg|p)(?![a-z])/y)) read("suffixNumber", /(\d+)/y);
  read("commit", /~([0-9a-f]+)/y);
  read("revision", /-r(\d+)/y);
  return at === version.length ? parts : [...parts, { kind: "invalid", text: version.slice(at) }];
}
