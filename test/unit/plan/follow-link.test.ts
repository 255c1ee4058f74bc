import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { followLink } from "../../../src/plan/inputs/follow-link.ts";
import { recordingIn } from "../../../src/paths/index.ts";
import { ScanRecorder } from "../../../src/tree/index.ts";
import { makeTree } from "../tree/fixture.ts";

/** A project beside a folder that is not in it, with these links. */
function project(links: Record<string, string>): { root: string; outside: string } {
  const base = makeTree({ "project/a/b/x": "1", "project/libs/v1/y": "1", "outside/z": "1" });
  const [root, outside] = [path.join(base, "project"), path.join(base, "outside")];
  for (const [at, target] of Object.entries(links)) {
    const link = path.join(root, at);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(target.replace("ROOT", root), link);
  }
  return { root, outside };
}

const followed = (links: Record<string, string>, link: string) => followLink(project(links).root, link);

test.each<[string, string, string]>([
  ["a plain path", "libs/v1", "libs/v1"],
  ["one with slashes at its end and in between", "libs//v1/", "libs/v1"],
  ["one that starts here", "./libs/./v1", "libs/v1"],
  ["one that goes up and down", "a/../a/b/../../libs/v1", "libs/v1"],
  ["an absolute one in the project", "ROOT/libs/v1", "libs/v1"],
  ["an absolute one with detours", "ROOT//a/.././libs/v1", "libs/v1"],
  ["one that does not exist", "libs/v2/x", "libs/v2/x"],
  ["one in what is a file", "libs/v1/y/z", "libs/v1/y/z"],
])("a link with the text of %s leads there", (_what, text, target) => {
  expect(followed({ link: text }, "link")).toEqual({ links: ["link"], target });
  expect(followed({ "a/link": `../${text}`.replace("../ROOT", "ROOT") }, "a/link").target).toBe(target);
});

test("what is no link leads to itself", () => {
  expect(followed({}, "a/b")).toEqual({ links: [], target: "a/b" });
});

test("every link on the way is named, in the order in which they are passed", () => {
  const links = { one: "two", two: "a/three", "a/three": "../libs/v1" };
  expect(followed(links, "one/y")).toEqual({ links: ["one", "two", "a/three"], target: "libs/v1/y" });
  expect(followed({ ...links, two: "ROOT/a/three" }, "one")).toEqual({
    links: ["one", "two", "a/three"],
    target: "libs/v1",
  });
});

test("a loop leads nowhere, as soon as the kernel would give up", () => {
  expect(followed({ one: "two", two: "one" }, "one").target).toBe(undefined);
  expect(followed({ self: "self/x" }, "self").target).toBe(undefined);
  const chain = (length: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length }, (_none, at) => [`l${at}`, at === length - 1 ? "libs/v1" : `l${at + 1}`]));
  expect(followed(chain(40), "l0").target).toBe("libs/v1");
  expect(followed(chain(41), "l0").target).toBe(undefined);
});

test.each(["node_modules", ".git", ".fastloop"])(
  "a link into a folder %s is not followed, nor named in one",
  (name) => {
    expect(followed({ link: `${name}/x` }, "link")).toEqual({ links: ["link"], target: undefined });
    expect(followed({ link: `a/${name}` }, "link").target).toBe(undefined);
    expect(followed({ link: `a/x${name}` }, "link").target).toBe(`a/x${name}`);
    expect(followed({ link: `${name}/x`, [`${name}/x`]: "../libs/v1" }, "link")).toEqual({
      links: ["link"],
      target: "libs/v1",
    });
  },
);

test("a link to the project itself, or out of it, leads nowhere", () => {
  expect(followed({ link: "." }, "link")).toEqual({ links: ["link"], target: undefined });
  expect(followed({ link: "ROOT" }, "link").target).toBe(undefined);
  expect(followed({ link: "../outside" }, "link")).toEqual({ links: ["link"], target: undefined });
  expect(followed({ link: "../outside/none" }, "link").target).toBe(undefined);
  expect(followed({ link: "/" }, "link").target).toBe(undefined);
  expect(followed({ link: "ROOT-other/x" }, "link").target).toBe(undefined);
});

test("a link that leaves the project and comes back leads to where it comes back", () => {
  const links = { link: "../outside/back/v1", up: "../project/libs" };
  const { root, outside } = project(links);
  symlinkSync("../project/libs", path.join(outside, "back"));
  expect(followLink(root, "link")).toEqual({ links: ["link"], target: "libs/v1" });
  expect(followLink(root, "up/v1")).toEqual({ links: ["up"], target: "libs/v1" });
  mkdirSync(path.join(root, "..names"));
  symlinkSync("../project/..names", path.join(root, "dots"));
  expect(followLink(root, "dots").target).toBe("..names");
});

test("a name that the file system refuses ends at itself, like one that is not there", () => {
  const long = "n".repeat(300);
  expect(followed({ link: `libs/${long}/../v1` }, "link")).toEqual({ links: ["link"], target: "libs/v1" });
  expect(followed({}, long).target).toBe(long);
});

test("a scan that is recorded knows of the links on the way, and is in doubt where they lead out", () => {
  const root = project({ link: "libs", out: "../outside/x" }).root;
  const recorded = (link: string): ScanRecorder => {
    const seen = new ScanRecorder();
    recordingIn(seen, () => followLink(root, link));
    return seen;
  };
  const inside = recorded("link/v1");
  const list = inside.result().list.toString().split("\0");
  for (const at of ["link", "libs", "libs/v1"]) expect(list).toContain(`L${path.join(root, at)}`);
  expect([inside.doubt, recorded("out").doubt]).toEqual([undefined, "out leads out of the project"]);
});
