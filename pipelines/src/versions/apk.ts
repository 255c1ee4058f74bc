import { compareNumbers, compareText } from "./order.ts";
import type { Compare } from "./order.ts";

/** What a version is made of, in the order in which the parts may come; of two versions that are alike so far, the one whose next part comes later in this list is the older one. */
const kinds = ["first", "digits", "letter", "suffix", "suffixNumber", "commit", "revision", "end", "invalid"] as const;
type Kind = (typeof kinds)[number];

interface Part {
  kind: Kind;
  text: string;
}

/** The first four come before the version that they are a suffix of, the others after it. */
const suffixes = ["alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p"];
const isPreRelease = ({ kind, text }: Part): boolean => kind === "suffix" && suffixes.indexOf(text) < 4;

/** Alpine's order (apk-version(5), apk-tools 3): `1.2.3b_rc2~abcd-r4`. */
export const compareApk: Compare = (a, b) => {
  const [left, right] = [parse(a), parse(b)];
  for (let index = 0; ; index++) {
    const [x, y] = [left[index] ?? end, right[index] ?? end];
    if (x.kind !== y.kind) {
      if (isPreRelease(x)) return -1;
      if (isPreRelease(y)) return 1;
      return kinds.indexOf(y.kind) - kinds.indexOf(x.kind);
    }
    if (x.kind === "end" || x.kind === "invalid") return 0;
    const difference = compareParts(x, y);
    if (difference !== 0) return difference;
  }
};

const end: Part = { kind: "end", text: "" };

function compareParts(a: Part, b: Part): number {
  switch (a.kind) {
    case "digits":
      // `1.05` is a fraction, as in Gentoo's order.
      return a.text.startsWith("0") || b.text.startsWith("0") ? compareText(a.text, b.text) : compareNumbers(a.text, b.text);
    case "first":
    case "suffixNumber":
    case "revision":
      return compareNumbers(a.text, b.text);
    case "suffix":
      return suffixes.indexOf(a.text) - suffixes.indexOf(b.text);
    default:
      return compareText(a.text, b.text);
  }
}

function parse(version: string): Part[] {
  const parts: Part[] = [];
  const read = (kind: Kind, pattern: RegExp): boolean => {
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
