import { ignoredPatterns } from "../../../src/core-api/dockerfile/dockerignore.ts";
import { expect, it } from "vitest";
import { excludePatterns, foldersAlone } from "../../../src/core-api/tree/gitignore.ts";
import { parseRefs } from "../../../src/core-api/git/refs.ts";
import { formatImageReference, parseImageReference } from "../../../src/core-api/image/reference.ts";
import { normalizePlatform } from "../../../src/core-api/values/platform.ts";
import { unservedMessage } from "../../../src/core-api/request/unserved.ts";

const canonical = (text: string): string => formatImageReference(parseImageReference(text));

it("completes image addresses as Docker does", () => {
  expect(canonical("debian")).toBe("docker.io/library/debian:latest");
  expect(canonical("me/app:1")).toBe("docker.io/me/app:1");
  expect(canonical("localhost/app")).toBe("localhost/app:latest");
  expect(canonical("127.0.0.1:5000/a/b:2")).toBe("127.0.0.1:5000/a/b:2");
  const digest = `sha256:${"a".repeat(64)}`;
  expect(canonical(`ghcr.io/a/b@${digest}`)).toBe(`ghcr.io/a/b@${digest}`);
  expect(canonical(`debian:12@${digest}`)).toBe(`docker.io/library/debian:12@${digest}`);
});

it("refuses what is no image address", () => {
  for (const text of ["", "Not A Ref", "UPPER", "a@sha256:xyz", "a:", "a//b", "-a"]) {
    expect(() => parseImageReference(text), text).toThrow(
      /failed to parse image address ".*": invalid reference format/,
    );
  }
});

it("writes platforms in one way", () => {
  const spellings = {
    "linux/amd64": "linux/amd64",
    arm64: "linux/arm64",
    "linux/arm64/v8": "linux/arm64",
    aarch64: "linux/arm64",
    "linux/arm": "linux/arm/v7",
    x86_64: "linux/amd64",
    "LINUX/ARM/V6": "linux/arm/v6",
  };
  for (const [text, expected] of Object.entries(spellings)) expect(normalizePlatform(text), text).toBe(expected);
});

it("refuses what is no platform", () => {
  for (const text of ["", "a/b/c/d", "linux/", "linux/am d64"])
    expect(() => normalizePlatform(text), text).toThrow(/invalid platform/);
});

it("turns lines of a .gitignore into exclude patterns", () => {
  expect(excludePatterns("*.log", "")).toEqual(["**/*.log"]);
  expect(excludePatterns("/build/", "sub")).toEqual(["sub/build"]);
  expect(excludePatterns("a/b", "sub")).toEqual(["sub/a/b"]);
  expect(excludePatterns("!keep", "")).toEqual(["!**/keep"]);
  expect(excludePatterns("\\#x", "")).toEqual(["**/#x"]);
  expect(excludePatterns("# comment", "")).toEqual([]);
  expect(excludePatterns("   ", "")).toEqual([]);
});

it("names the folders of a .gitignore's line where a file has such a name as well", () => {
  const names = { folders: ["a", "a/build", "b", "b/build", "b/bu[i]ld"], others: ["a/f", "b/out", "c/build"] };
  expect(foldersAlone("build/", "", names)).toEqual(["a/build", "b/build"]);
  expect(foldersAlone("!build/", "", names)).toEqual(["!a/build", "!b/build"]);
  expect(foldersAlone("build/", "a", names)).toBeUndefined();
  expect(foldersAlone("/out/", "b", names)).toEqual([]);
  expect(foldersAlone("out/", "a", names)).toBeUndefined();
  expect(foldersAlone("bu*/", "", names)).toEqual(["a/build", "b/build", "b/bu[[]i]ld"]);
  expect(foldersAlone("build", "", names)).toBeUndefined();
});

it("reads refs with the commits behind annotated tags", () => {
  const refs = parseRefs(
    "ref: refs/heads/main\tHEAD\naaa\tHEAD\naaa\trefs/heads/main\nttt\trefs/tags/v1\naaa\trefs/tags/v1^{}\n",
  );
  expect(refs.head).toBe("refs/heads/main");
  expect(refs.commits.get("refs/tags/v1")).toBe("aaa");
});

it("says what is not served in the words of the documentation", () => {
  expect(unservedMessage('Cannot query field "asModule" on type "Directory".')).toBe(
    'Cannot query field "asModule" on type "Directory": Directory.asModule is not served by the embedded engine; use a Dagger engine',
  );
  expect(unservedMessage('Cannot query field "llm" on type "Query".')).toBe(
    'Cannot query field "llm" on type "Query": llm is not served by the embedded engine; use a Dagger engine',
  );
  expect(unservedMessage('Cannot query field "exportImage" on type "Container". Did you mean "export"?')).toBe(
    'Cannot query field "exportImage" on type "Container": Container.exportImage is not served by the embedded engine (it has no container runtime\'s image store; `export` writes an archive for `docker load`); use a Dagger engine',
  );
  expect(unservedMessage('Unknown argument "argz" on field "Container.withExec". Did you mean "args"?')).toBe(
    'Unknown argument "argz" on field "Container.withExec": Container.withExec(argz) is not served by the embedded engine; use a Dagger engine. Did you mean "args"?',
  );
  expect(unservedMessage("Syntax Error: Expected Name.")).toBeUndefined();
});

it("reads the lines of a .dockerignore as Docker does", () => {
  expect(ignoredPatterns("\uFEFF# c\n\n /a/ \n!./b\n! /c\n#x\n/\n..\n")).toEqual(["a", "!b", "!c", "/", ".."]);
});
