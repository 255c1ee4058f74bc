import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isInside, isReallyInside, isWithin, leadsOut, realPath, realPathIfThere } from "../../../src/paths/index.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), "fastloop-inside-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("by its name", () => {
  it.each([
    ["/a", "/a", true],
    ["/a", "/a/b", true],
    ["/a", "/ab", false],
    ["/a", "/", false],
    ["/a", "/a/..b", true],
    ["/", "/a", true],
    ["a", "a/b", true],
    ["", "a/b", true],
  ])("in %o, %o is inside: %o", (outer, inner, is) => {
    expect([isInside(outer, inner), isWithin(outer, inner)]).toEqual([is, is]);
  });

  it("a path is normalized by one of the tests", () => {
    expect(isInside("/a/", "/a/b/../../c")).toBe(false);
    expect(isInside("/a/", "/a/b/../c")).toBe(true);
  });

  it.each([
    ["..", true],
    ["../a", true],
    ["..a", false],
    ["a", false],
    ["", false],
  ])("%o leads out of its folder: %o", (name, does) => expect(leadsOut(name)).toBe(does));
});

describe("with links resolved", () => {
  it("a missing file is where it would be created, behind broken links, too", () => {
    mkdirSync(path.join(folder, "real"));
    symlinkSync("real", path.join(folder, "link"));
    symlinkSync("../gone/file", path.join(folder, "real/broken"));
    symlinkSync("/elsewhere/gone", path.join(folder, "out"));
    symlinkSync("loop", path.join(folder, "loop"));
    expect(realPath(path.join(folder, "link/new/file"))).toBe(path.join(folder, "real/new/file"));
    expect(realPath(path.join(folder, "link/broken"))).toBe(path.join(folder, "gone/file"));
    expect(isReallyInside(folder, path.join(folder, "link/broken"))).toBe(true);
    expect(isReallyInside(folder, path.join(folder, "out"))).toBe(false);
    expect(isReallyInside(folder, path.join(folder, "loop"))).toBe(true);
  });

  it("a name that leads nowhere stays as it is", () => {
    symlinkSync(folder, path.join(folder, "link"));
    expect(realPathIfThere(path.join(folder, "link"))).toBe(folder);
    expect(realPathIfThere(path.join(folder, "gone"))).toBe(path.join(folder, "gone"));
    expect(realPathIfThere("")).toBe("");
  });

  it("a path of a million folders that are not there is resolved at once", () => {
    symlinkSync("real", path.join(folder, "link"));
    const long = "a/".repeat(1_000_000);
    const before = process.cpuUsage();
    expect(realPath(`${folder}/link/${long}`) === path.join(folder, "real", long.slice(0, -1))).toBe(true);
    expect(process.cpuUsage(before).user).toBeLessThan(8_000_000);
  });
});
