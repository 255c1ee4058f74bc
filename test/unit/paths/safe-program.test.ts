import {
  chmodSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { changeableByOthers, daemonEnvironment, findSafeExecutable, safePath } from "../../../src/paths/index.ts";

let folder: string;
beforeEach(() => void (folder = realpathSync(mkdtempSync(path.join(tmpdir(), "fastloop-safe-")))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program in `bin` folders of the given mode. */
function program(bin: string, mode = 0o755): string {
  const file = path.join(folder, bin, "buildkitd");
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "#!/bin/sh\n");
  chmodSync(file, mode);
  return file;
}

describe("a program could be changed by others", () => {
  it("where it, or a folder above it, can be written by its group or by everyone", () => {
    const file = program("a/bin");
    expect(changeableByOthers(file)).toBeUndefined();
    chmodSync(file, 0o775);
    expect(changeableByOthers(file)).toBe(`${file} can be written by its group`);
    chmodSync(file, 0o757);
    expect(changeableByOthers(file)).toBe(`${file} can be written by everyone`);
    chmodSync(file, 0o755);
    chmodSync(path.join(folder, "a"), 0o777);
    expect(changeableByOthers(file)).toBe(`${path.join(folder, "a")} can be written by everyone`);
    // As in /tmp: others can add, and not replace.
    chmodSync(path.join(folder, "a"), 0o1777);
    expect(changeableByOthers(file)).toBeUndefined();
  });

  it("where it, or a folder above it, is a link to such a place", () => {
    const file = program("open");
    chmodSync(path.join(folder, "open"), 0o777);
    mkdirSync(path.join(folder, "bin"));
    symlinkSync(file, path.join(folder, "bin/buildkitd"));
    symlinkSync(path.join(folder, "open"), path.join(folder, "linked"));
    for (const name of ["bin/buildkitd", "linked/buildkitd"])
      expect(changeableByOthers(path.join(folder, name))).toBe(
        `${path.join(folder, "open")} can be written by everyone`,
      );
  });

  it("where a link leads to it over another one that lies in such a place", () => {
    const file = program("opt/v1");
    const shared = path.join(folder, "shared");
    for (const name of ["bin", "shared"]) mkdirSync(path.join(folder, name));
    symlinkSync(path.dirname(file), path.join(shared, "current"));
    symlinkSync("../shared/current/buildkitd", path.join(folder, "bin/buildkitd"));
    symlinkSync("shared/current/../v1", path.join(folder, "linked"));
    const names = ["bin/buildkitd", "linked/buildkitd", "linked/../v1/buildkitd"].map((name) => `${folder}/${name}`);
    expect(names.map(changeableByOthers)).toEqual([undefined, undefined, undefined]);
    chmodSync(shared, 0o777);
    const problem = `${shared} can be written by everyone`;
    expect(names.map(changeableByOthers)).toEqual([problem, problem, problem]);
  });

  it("where its links lead nowhere", () => {
    const link = path.join(folder, "link");
    symlinkSync("link", link);
    expect(changeableByOthers(link)).toBe(`${link} leads over more than 40 links`);
  });

  it.runIf(process.getuid?.() === 0)("where it belongs to somebody else, or a link on the way to it does", () => {
    const file = program("bin");
    lchownSync(file, 65_534, 65_534);
    expect(changeableByOthers(file)).toBe(`${file} belongs to another user`);
    const link = path.join(folder, "link");
    symlinkSync(program("other"), link);
    lchownSync(link, 65_534, 65_534);
    expect(changeableByOthers(link)).toBe(`${link} belongs to another user`);
  });

  it("where it is not there", () => {
    expect(changeableByOthers(path.join(folder, "absent"))).toContain("is not there");
    expect(changeableByOthers(path.join(folder, "x".repeat(300)))).toContain("can't be looked at (ENAMETOOLONG)");
  });
});

it("the first safe program on the PATH is found, and the others before it are told", () => {
  const unsafe = program("unsafe");
  chmodSync(path.dirname(unsafe), 0o777);
  const safe = program("safe");
  const env = { PATH: ["relative", path.dirname(unsafe), folder, path.dirname(safe)].join(":") };
  expect(findSafeExecutable("buildkitd", env)).toEqual({
    file: safe,
    passedOver: [`${unsafe}: ${path.dirname(unsafe)} can be written by everyone`],
  });
  expect(findSafeExecutable("buildkitd", { PATH: "" })).toEqual({ file: undefined, passedOver: [] });
  expect(safePath(env.PATH)).toBe([folder, path.dirname(safe)].join(":"));
});

it("a daemon's environment has what is on the list, and nothing else", () => {
  const given = {
    PATH: `relative:/nowhere:${folder}`,
    HOME: "/root",
    XDG_STATE_HOME: "/state",
    LC_ALL: "C",
    https_proxy: "http://proxy",
    NO_PROXY: "localhost",
    SSL_CERT_FILE: "/ca.pem",
    FASTLOOP_NETWORK: "host",
  };
  const secret = {
    AWS_SECRET_ACCESS_KEY: "s",
    GITHUB_TOKEN: "s",
    DAGGER_SESSION_TOKEN: "s",
    FASTLOOP_STATE_KEY: "s",
    NODE_OPTIONS: "--require /x.js",
    LD_PRELOAD: "/x.so",
    BUILDKIT_HOST: "s",
    MY_XDG_TOKEN: "s",
    path: "s",
  };
  expect(daemonEnvironment({ ...given, ...secret })).toEqual({ ...given, PATH: folder });
});
