import { compareApk } from "./apk.ts";
import { compareDpkg } from "./dpkg.ts";
import type { Compare } from "./order.ts";
import { comparePep440 } from "./pep440.ts";
import { compareSemver } from "./semver.ts";

export { compareApk, compareDpkg, comparePep440, compareSemver };

const orders: Record<string, Compare> = {
  Debian: compareDpkg,
  Ubuntu: compareDpkg,
  Alpine: compareApk,
  Wolfi: compareApk,
  Chainguard: compareApk,
  npm: compareSemver,
  "crates.io": compareSemver,
  Go: compareSemver,
  PyPI: comparePep440,
};

/** The order that a package ecosystem, by OSV's name for it, has for its versions. */
export const versionOrder = (ecosystem: string): Compare => orders[ecosystem.split(":")[0] ?? ""] ?? compareSemver;
