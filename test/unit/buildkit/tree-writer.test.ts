import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { goMode } from "../../../src/buildkit/fsutil/mode.ts";
import type { Stat } from "../../../src/buildkit/fsutil/packet.ts";
import { TreeWriter } from "../../../src/buildkit/fsutil/tree-writer.ts";

const stat = (name: string, mode: number, rest: Partial<Stat> = {}): Stat => ({
  path: name,
  mode,
  sizeBytes: 0,
  modTimeNs: 1_000_000_000_000_000_000n,
  linkname: "",
  ...rest,
});
const folderStat = (name: string, mode = 0o755): Stat => stat(name, goMode("directory", mode));

describe("a written tree", () => {
  let folder: string;
  let target: string;
  let writer: TreeWriter;
  const writeFile = async (id: number, name: string, content: string, mode = 0o644): Promise<void> => {
    writer.beginFile(id, stat(name, mode, { sizeBytes: content.length }));
    await writer.write(id, Buffer.from(content));
    await writer.finishFile(id);
  };

  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "fastloop-writer-"));
    target = path.join(folder, "target");
    writer = new TreeWriter(target);
    await writer.open();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("has the modes, times and links of the transfer", async () => {
    await writer.directory(folderStat("d", 0o555));
    await writeFile(1, "d/small", "x", 0o751);
    await writeFile(2, "d/large", "y".repeat(70_000));
    writer.hardlink(stat("d/hard", 0o751, { linkname: "d/small" }));
    await writer.symlink(stat("d/link", goMode("symlink", 0o777), { linkname: "/etc/passwd" }));
    await writer.close(false);
    const at = (name: string): Stats => lstatSync(path.join(target, name));
    expect([at("d").mode & 0o777, at("d/small").mode & 0o777]).toEqual([0o555, 0o751]);
    expect([at("d"), at("d/small"), at("d/large"), at("d/link")].map((each) => each.mtimeMs)).toEqual(
      Array(4).fill(1_000_000_000_000),
    );
    expect([at("d/hard").ino, at("d/large").size]).toEqual([at("d/small").ino, 70_000]);
    expect(readlinkSync(path.join(target, "d/link"))).toBe("/etc/passwd");
  });

  it.each(["/abs", "../up", "a/../../up", "a//b", ".", "", "a/./b", "nul\0"])("refuses the path %j", async (name) => {
    await writer.directory(folderStat("a"));
    expect(() => writer.beginFile(1, stat(name, 0o644))).toThrow(/not a path inside the export/);
    await expect(writer.directory(folderStat(name))).rejects.toThrow(/not a path inside the export/);
    await expect(writer.symlink(stat(name, goMode("symlink", 0o777), { linkname: "x" }))).rejects.toThrow(
      /not a path inside the export/,
    );
  });

  it("never goes through a link, neither one that was there nor one of the transfer", async () => {
    const outside = path.join(folder, "outside");
    mkdirSync(outside);
    writeFileSync(path.join(outside, "f"), "untouched");
    symlinkSync(outside, path.join(target, "was-there"));
    symlinkSync(path.join(outside, "f"), path.join(target, "file"));
    await writer.symlink(stat("sent", goMode("symlink", 0o777), { linkname: outside }));
    expect(() => writer.beginFile(1, stat("sent/f", 0o644))).toThrow(/no folder/);
    expect(() => writer.beginFile(1, stat("was-there/f", 0o644))).toThrow(/no folder/);
    await writer.directory(folderStat("was-there"));
    await writeFile(1, "was-there/f", "new");
    await writeFile(2, "file", "new");
    expect(() => writer.hardlink(stat("h", 0o644, { linkname: "../outside/f" }))).not.toThrow();
    await expect(writer.close(false)).rejects.toThrow(/not a path inside the export/);
    expect(readFileSync(path.join(outside, "f"), "utf8")).toBe("untouched");
    expect(readFileSync(path.join(target, "file"), "utf8")).toBe("new");
  });

  it("refuses a path that comes twice: its folder would become a link", async () => {
    await writer.directory(folderStat("d"));
    await expect(writer.symlink(stat("d", goMode("symlink", 0o777), { linkname: folder }))).rejects.toThrow(/twice/);
  });

  it("replaces a folder by a file and a file by a folder", async () => {
    mkdirSync(path.join(target, "was-folder/deep"), { recursive: true });
    writeFileSync(path.join(target, "was-file"), "x");
    await writeFile(1, "was-folder", "y");
    await writer.directory(folderStat("was-file"));
    await writer.close(false);
    expect(readFileSync(path.join(target, "was-folder"), "utf8")).toBe("y");
    expect(lstatSync(path.join(target, "was-file")).isDirectory()).toBe(true);
  });

  it("loses what is not part of the transfer only when it is wiped", async () => {
    mkdirSync(path.join(target, "d/old"), { recursive: true });
    writeFileSync(path.join(target, "other"), "x");
    await writer.directory(folderStat("d"));
    await writeFile(1, "d/f", "y");
    await writer.close(false);
    expect([readdirSync(target), readdirSync(path.join(target, "d"))]).toEqual([
      ["d", "other"],
      ["f", "old"],
    ]);
    await writer.close(true);
    expect([readdirSync(target), readdirSync(path.join(target, "d"))]).toEqual([["d"], ["f"]]);
  });

  it("that is given up leaves no half-written file", async () => {
    writer.beginFile(1, stat("large", 0o644, { sizeBytes: 100_000 }));
    await writer.write(1, Buffer.alloc(1000));
    expect(readdirSync(target).length).toBe(1);
    await writer.abort();
    expect(readdirSync(target)).toEqual([]);
    expect(existsSync(target)).toBe(true);
  });
});
