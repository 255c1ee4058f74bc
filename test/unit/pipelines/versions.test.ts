/** Orders as chains from old to new; what stands in one group is the same version. Re-expressed from the projects' own tables. */
import { describe, expect, it } from "vitest";
import { matchAdvisories, type Advisory } from "../../../pipelines/src/advisories.ts";
import { compareApk } from "../../../pipelines/src/version-apk.ts";
import { compareDpkg } from "../../../pipelines/src/version-dpkg.ts";
import { comparePep440 } from "../../../pipelines/src/version-pep440.ts";
import { compareSemver } from "../../../pipelines/src/version-semver.ts";
import { versionOrder } from "../../../pipelines/src/versions.ts";

const orders = { compareApk, compareDpkg, comparePep440, compareSemver };

const chains: [order: keyof typeof orders, chain: (string | string[])[]][] = [
  // dpkg: lib/dpkg/t/t-version.c and deb-version(7)
  ["compareDpkg", [["0", "0:0", "0:0-0", "00"], "1", "1:0", "5:1"]],
  [
    "compareDpkg",
    ["1.0~~", "1.0~~a", "1.0~", "1.0~beta1~svn1245", "1.0~beta1", "1.0", "1.0a", "1.0b", "1.0+b1", "1.0.1"],
  ],
  ["compareDpkg", ["2.36-9~bpo11+1", "2.36-9", "2.36-9+deb12u1", ["2.36-9+deb12u10", "2.36-09+deb12u10"], "2.36-10"]],
  ["compareDpkg", [["0a-0", "0a0-0"], "0-0-0", "0-0-1", "0-1-0", "1-0"]],
  ["compareDpkg", ["1.2.9", "1.2.10", "1.10", ["1.010.0", "1.10.0"], "1.10.0-1ubuntu2", "1.10.0-1ubuntu10"]],
  ["compareDpkg", ["1:9", "9:1", "10:1", "99999999999999999999999999:0"]],
  ["compareDpkg", ["20230311", "20240203", "20240203a"]],
  // apk-tools: test/unit/version.data and apk-version(5)
  [
    "compareApk",
    [
      "0.1.0_alpha",
      "0.1.0_alpha2",
      "0.1.0_beta",
      "0.1.0_pre1",
      "0.1.0_rc8",
      "0.1.0_rc10",
      "0.1.0",
      "0.1.0_cvs",
      "0.1.0_svn2",
      "0.1.0_git20240101",
      "0.1.0_hg",
      "0.1.0_p1",
      "0.1.0_p10",
      "0.1.0a",
    ],
  ],
  ["compareApk", ["0.1.0_alpha_pre2", "0.1.0_alpha", "0.1.0-r0", "0.1.0-r1", "0.1.0-r10", "0.1.1"]],
  [
    "compareApk",
    [
      "1.0.4-r3",
      "1.0.4-r4",
      "1.02",
      "1.02.07",
      "1.02.10-r1",
      "1.06-r6",
      "1.1",
      "1.1_p1",
      "1.1a",
      "1.1.1",
      "1.10",
      ["006", "6"],
      "6.0_pre1",
      "6.0",
      "6.0_p1",
      "20050718-r1",
    ],
  ],
  ["compareApk", ["8.2.0", "8.2.001", "8.2.0015", "8.2.002", "8.2.1", "8.2.12"]],
  ["compareApk", ["1.0", "1.0-r1", "1.0~1234", "1.0~1234-r0", "1.0~1234-r1", "1.0~2345-r0"]],
  ["compareApk", ["1.0.0_pre20191002222144-r0", "1.0.0_pre20210530193627-r0", "1.0.0"]],
  // node-semver: test/fixtures/comparisons.js; semver.org, 11
  [
    "compareSemver",
    [
      "1.0.0-alpha",
      "1.0.0-alpha.1",
      "1.0.0-alpha.beta",
      "1.0.0-beta",
      "1.0.0-beta.2",
      "1.0.0-beta.11",
      "1.0.0-rc.1",
      ["1.0.0", "v1.0.0", "1.0.0+build.7", "1.0", "1"],
      "1.0.1-0",
      "1.0.1",
      "1.9.0",
      "1.10.0",
    ],
  ],
  ["compareSemver", ["0.0.0-foo", "0.0.0", "0.0.1", "0.9.9", "0.10.0", "0.99.0", ["2.7.2+asdf", "2.7.2"], "3.0.0"]],
  [
    "compareSemver",
    [
      "1.2.3-4",
      "1.2.3-5",
      "1.2.3-4-foo",
      "1.2.3-5-Foo",
      "1.2.3-5-foo",
      "1.2.3-R2",
      "1.2.3-a",
      "1.2.3-a.5",
      "1.2.3-a.10",
      "1.2.3-a.b",
      "1.2.3-a.b.c.5.d.100",
      "1.2.3-a.b.c.10.d.5",
      "1.2.3-r100",
      "1.2.3-r2",
      "1.2.3",
    ],
  ],
  // Go's versions of commits
  [
    "compareSemver",
    [
      "v0.0.0-20190101000000-abcdefabcdef",
      "v0.0.0-20200101000000-000000000000",
      "v0.1.0",
      ["v2.0.0", "v2.0.0+incompatible"],
    ],
  ],
  // pypa/packaging: tests/test_version.py
  [
    "comparePep440",
    [
      "1.0.dev0",
      "1.0.dev456",
      "1.0.dev456+local",
      "1.0a0",
      "1.0a0.post0.dev0",
      "1.0a0.post0",
      "1.0a1.dev1",
      ["1.0a1", "1.0.alpha1", "1.0-ALPHA_1"],
      "1.0b1.dev456",
      ["1.0b2", "1.0beta2"],
      "1.0b2.post345.dev456",
      ["1.0b2.post345", "1.0b2-345"],
      ["1.0b2-346", "1.0b2.r346"],
      "1.0rc0",
      ["1.0rc1", "1.0c1", "1.0pre1", "1.0preview1"],
      ["1.0", "1", "v1.0.0", " 1.0"],
      "1.0.post0.dev0",
      ["1.0.post0", "1.0post", "1.0-0"],
      "1.0.post456.dev34",
      "1.0.post456",
      "1.0.post456+local",
      "1.0.1.dev1",
      "1.0.1a1",
      "1.0.1",
      "1.1.dev1",
    ],
  ],
  [
    "comparePep440",
    [
      "1.2",
      "1.2+a",
      "1.2+abc",
      "1.2+def",
      ["1.2+0", "1.2+00"],
      "1.2+1",
      ["1.2+1.abc", "1.2+1-abc"],
      "1.2+1.1",
      "1.2+1.1.0",
      "1.2+2",
      "1.2+123",
      "1.2.r32+123456",
      "1.2.rev33+123456",
      "1!1.0.dev0",
      "1!1.0",
      "2!0.1",
    ],
  ],
  ["comparePep440", ["lolwat", "1.0"]],
];

describe("versions are in the order of", () => {
  it.each(chains)("%s: %j", (name, chain) => {
    const compare = orders[name];
    const groups = chain.map((group) => (typeof group === "string" ? [group] : group));
    for (const [index, group] of groups.entries()) {
      for (const a of group) {
        for (const [other, candidates] of groups.entries()) {
          for (const b of candidates)
            expect([a, b, Math.sign(compare(a, b))]).toEqual([a, b, Math.sign(index - other)]);
        }
      }
    }
  });

  it("their ecosystem", () => {
    expect(
      ["Debian:12", "Ubuntu:24.04:LTS", "Alpine:v3.20", "npm", "PyPI", "crates.io", "Go"].map(versionOrder),
    ).toEqual([compareDpkg, compareDpkg, compareApk, compareSemver, comparePep440, compareSemver, compareSemver]);
  });
});

describe("an advisory", () => {
  const advisory = (ecosystem: string, events: object[], type = "ECOSYSTEM", name = "thing"): Advisory => ({
    id: "X-1",
    affected: [{ package: { ecosystem, name }, ranges: [{ type, events }] }],
  });
  const hits = (given: Advisory, ecosystem: string, version: string, name = "thing"): (string | undefined)[] =>
    matchAdvisories([{ ecosystem, name, version }], [given]).map(({ fixed }) => fixed);

  it.each([
    // A backport comes before the version that it is of.
    ["Debian", "1.2-3~bpo12+1", "1.2-3", 1],
    ["Debian", "1:1.0", "2.0", 0],
    ["Alpine", "3.1.4-r5", "3.1.4-r10", 1],
    ["Alpine", "1.0_rc2", "1.0", 1],
    ["npm", "2.0.0-rc.1", "2.0.0", 1],
    ["npm", "2.0.0", "2.0.0-rc.1", 0],
    ["PyPI", "1.0.post1", "1.0", 0],
    ["PyPI", "4.2rc1", "4.2", 1],
    ["Go", "v1.9.0", "1.10.0", 1],
  ])("of %s reaches %s, fixed in %s: %i", (ecosystem, version, fixed, count) => {
    expect(hits(advisory(ecosystem, [{ introduced: "0" }, { fixed }]), ecosystem, version)).toHaveLength(count);
  });

  it("may tell its events in any order, and names the fix that comes next", () => {
    const several = advisory("npm", [
      { fixed: "2.0.5" },
      { introduced: "2.0.0" },
      { fixed: "1.4.0" },
      { introduced: "0" },
    ]);
    expect([
      hits(several, "npm", "1.3.9"),
      hits(several, "npm", "1.4.0"),
      hits(several, "npm", "2.0.1"),
      hits(several, "npm", "2.0.5"),
    ]).toEqual([["1.4.0"], [], ["2.0.5"], []]);
  });

  it("ends with the last version that it reaches", () => {
    const last = advisory("PyPI", [{ introduced: "1.0" }, { last_affected: "1.5" }]);
    expect(
      [
        hits(last, "PyPI", "1.5"),
        hits(last, "PyPI", "1.5.0"),
        hits(last, "PyPI", "1.5.post1"),
        hits(last, "PyPI", "0.9"),
      ].map((found) => found.length),
    ).toEqual([1, 1, 0, 0]);
  });

  it("says nothing of versions where its range is one of commits", () => {
    expect(hits(advisory("Go", [{ introduced: "0" }, { fixed: "8b2f2a1c" }], "GIT"), "Go", "v1.0.0")).toEqual([]);
  });

  it("finds a Python package under any spelling of its name", () => {
    expect(
      hits(advisory("PyPI", [{ introduced: "0" }], "ECOSYSTEM", "Zope.Interface"), "PyPI", "1.0", "zope-interface"),
    ).toHaveLength(1);
  });
});
