import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import zlib, { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openImageArchive, whiteout } from "../../../src/core-api/image/archive.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "image-archive-"))));
afterEach(() => rmSync(folder, { recursive: true }));

function archive(files: Record<string, string>): string {
  const root = path.join(folder, "root");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  const file = path.join(folder, "archive.tar");
  execFileSync("tar", ["-cf", file, "-C", root, ...Object.keys(files)]);
  return file;
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const open = (files: Record<string, string>, tag = "") =>
  openImageArchive(archive(files), { tag, platform: "linux/amd64" });

describe("an image archive", () => {
  it("is refused with what is wrong with it", async () => {
    writeFileSync(path.join(folder, "text"), "x");
    await expect(openImageArchive(path.join(folder, "text"), { tag: "", platform: "linux/amd64" })).rejects.toThrow(
      "unexpected EOF",
    );
    await expect(open({ "a.txt": "x" })).rejects.toThrow("neither index.json (OCI) nor manifest.json (Docker)");
    await expect(open({ "index.json": "[" })).rejects.toThrow("is not the JSON that it should be");
    await expect(
      open({ "index.json": JSON.stringify({ manifests: [{ digest: "../../../etc/passwd" }] }) }),
    ).rejects.toThrow("no SHA-256 digest");
  });

  it("that this machine cannot read is refused with the true cause", async () => {
    const file = path.join(folder, "archive");
    const opened = () => openImageArchive(file, { tag: "", platform: "linux/amd64" });
    await expect(opened()).rejects.toThrow("the image archive cannot be read: ENOENT: no such file or directory");
    writeFileSync(file, Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]));
    // As it is on a Node before 22.15.
    const known = Object.getOwnPropertyDescriptor(zlib, "createZstdDecompress");
    Object.defineProperty(zlib, "createZstdDecompress", { configurable: true, value: undefined });
    try {
      await expect(opened()).rejects.toThrow(
        /compressed with Zstandard, which Node \S+ cannot read \(22\.15 or later can\)/,
      );
    } finally {
      Object.defineProperty(zlib, "createZstdDecompress", known ?? { configurable: true, value: undefined });
    }
    writeFileSync(file, Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(600, "x")]));
    await expect(opened()).rejects.toThrow("the file is no image archive: unknown compression method");
    writeFileSync(file, gzipSync(Buffer.alloc(3000)).subarray(0, 20));
    await expect(opened()).rejects.toThrow("the file is no image archive: unexpected EOF");
    writeFileSync(file, Buffer.alloc(1024, "x"));
    await expect(opened()).rejects.toThrow("the file is no image archive: invalid tar header");
  });

  it("whose content is not what its digest says is damaged", async () => {
    const digest = hash("the real one");
    const files = {
      "index.json": JSON.stringify({ manifests: [{ digest: `sha256:${digest}` }] }),
      [`blobs/sha256/${digest}`]: "{}",
    };
    await expect(open(files)).rejects.toThrow("is damaged");
  });

  it("gives the image of the wanted platform or tag", async () => {
    const config = (architecture: string) => JSON.stringify({ os: "linux", architecture });
    const images = ["arm64", "amd64"].map((architecture) => {
      const manifest = JSON.stringify({ config: { digest: `sha256:${hash(config(architecture))}` }, layers: [] });
      return { architecture, manifest };
    });
    const files = Object.fromEntries(
      images.flatMap(({ architecture, manifest }) => [
        [`blobs/sha256/${hash(manifest)}`, manifest],
        [`blobs/sha256/${hash(config(architecture))}`, config(architecture)],
      ]),
    );
    const manifests = images.map(({ architecture, manifest }) => ({
      digest: `sha256:${hash(manifest)}`,
      platform: { os: "linux", architecture },
    }));
    expect((await open({ ...files, "index.json": JSON.stringify({ manifests }) })).config).toMatchObject({
      architecture: "amd64",
    });
    await expect(open({ ...files, "index.json": JSON.stringify({ manifests }) }, "v1")).rejects.toThrow(
      'no image with the tag "v1"',
    );
  });

  it("in Docker's form gives the image of a tag", async () => {
    const manifest = [
      { Config: "one.json", RepoTags: ["app:1"], Layers: [] },
      { Config: "two.json", RepoTags: ["app:2"], Layers: [] },
    ];
    const files = { "manifest.json": JSON.stringify(manifest), "one.json": '{"os":"one"}', "two.json": '{"os":"two"}' };
    expect((await open(files)).config).toEqual({ os: "one" });
    expect((await open(files, "2")).config).toEqual({ os: "two" });
    expect((await open(files, "app:2")).config).toEqual({ os: "two" });
  });
});

describe("a layer's mark", () => {
  it("removes a path of the layers below, or all of a folder", () => {
    expect(whiteout("etc/.wh.passwd")).toEqual([
      { removes: { action: "remove", path: "/etc/passwd" }, mark: "/etc/.wh.passwd" },
    ]);
    expect(whiteout("opt/.wh..wh..opq")).toEqual([
      { removes: { action: "remove", path: "/opt/*", pattern: true }, mark: "/opt/.wh..wh..opq" },
    ]);
    expect(whiteout("etc/passwd")).toEqual([]);
  });

  it("names a path and no pattern, inside the root", () => {
    expect(whiteout("a/.wh.*")).toEqual([{ removes: { action: "remove", path: "/a/*" }, mark: "/a/.wh.*" }]);
    expect(whiteout("a/[b]?/.wh..wh..opq")).toEqual([
      { removes: { action: "remove", path: "/a/[[]b][?]/*", pattern: true }, mark: "/a/[b]?/.wh..wh..opq" },
    ]);
    expect(whiteout("../../.wh.etc")).toEqual([{ removes: { action: "remove", path: "/etc" }, mark: "/.wh.etc" }]);
  });
});
