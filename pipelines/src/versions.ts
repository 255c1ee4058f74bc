import { compareApk } from "./version-apk.ts";
import { compareDpkg } from "./version-dpkg.ts";
import type { CompareVersions } from "./version-order.ts";
import { comparePep440 } from "./version-pep440.ts";
import { compareSemver } from "./version-semver.ts";

const versionOrders: Record<string, CompareVersions> = {
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

/** Returns how an ecosystem (OSV's name, such as `Debian:12`) compares versions; Semantic Versioning if unknown. */
export const versionOrder = (ecosystem: string): CompareVersions =>
  versionOrders[ecosystem.split(":")[0] ?? ""] ?? compareSemver;
