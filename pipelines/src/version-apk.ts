import { compareNumbers, compareText } from "./version-order.ts";
import type { CompareVersions } from "./version-order.ts";

/** What a version is made of, in the order of the parts; of two that are alike so far, the one whose next part comes later here is older. */
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

/** The first four come before the version that they are a suffix of, the others after it. */
const apkSuffixes = ["alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"];
const isPreRelease = ({ kind, text }: ApkPart): boolean => kind === "suffix" && apkSuffixes.indexOf(text) < 4;

/** Alpine's order (apk-version(5), apk-tools 3): `1.2.3b_rc2~abcd-r4`. */
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
      // `1.05` is a fraction, as in Gentoo's order.
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
