import { execFileSync } from "node:child_process";
import { closeSync, linkSync, mkdirSync, readFileSync, readdirSync, renameSync, symlinkSync, writeSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { HeldFolder } from "../../../src/state/held-folder.ts";
import { makeTree } from "../tree/fixture.ts";

const limit = 1000;

/** As on Linux, and as where no path leads into an open folder. */
describe.each([
  ["by descriptor", true],
  ["by name", false],
])("a held folder, %s", (_way, byDescriptor) => {
  const open = (root: string): HeldFolder => HeldFolder.open(root, byDescriptor);

  it.skipIf(byDescriptor && process.platform !== "linux")(
    "writes whole files, and leaves no draft, also where it fails",
    () => {
      const root = makeTree({ "full/inside": "", empty: null });
      const folder = open(root);
      folder.write("a", ["one ", Buffer.from("two")]);
      folder.write("a", ["three"]);
      folder.write("empty", ["in the place of an empty folder"]);
      expect(() => folder.write("full", ["x"])).toThrow(/ENOTEMPTY|EEXIST|EISDIR/);
      expect(readdirSync(root).sort()).toEqual(["a", "empty", "full"]);
      expect(folder.read("a", limit)).toEqual(Buffer.from("three"));
      folder.close();
    },
  );

  it.skipIf(byDescriptor && process.platform !== "linux")("follows no link and waits for no pipe", () => {
    const root = makeTree({ "outside/precious": "precious", "in/file": "file", "in/folder": null });
    execFileSync("mkfifo", [path.join(root, "in/pipe")]);
    symlinkSync("../outside/precious", path.join(root, "in/link"));
    symlinkSync("../outside", path.join(root, "in/folder-link"));
    linkSync(path.join(root, "outside/precious"), path.join(root, "in/hard"));
    const folder = open(path.join(root, "in"));
    expect(["file", "pipe", "link", "folder", "gone"].map((name) => folder.read(name, limit).toString())).toEqual([
      "file",
      "unreadable",
      "unreadable",
      "unreadable",
      "absent",
    ]);
    expect(folder.read("file", 3)).toBe("unreadable");
    expect(() => folder.folder("folder-link")).toThrow(/ENOTDIR|ELOOP/);
    for (const name of ["link", "hard", "pipe", "folder"])
      expect(() => folder.openForAppending(name), name).toThrow(/ELOOP|EEXIST|ENXIO|EISDIR/);
    folder.write("link", ["mine"]);
    folder.write("hard", ["mine"]);
    expect(
      folder.remove("link") && folder.remove("hard") && folder.remove("pipe") && folder.remove("folder-link"),
    ).toBe(true);
    expect(readFileSync(path.join(root, "outside/precious"), "utf8")).toBe("precious");
    folder.close();
  });

  it.skipIf(byDescriptor && process.platform !== "linux")("deletes no folder with something in it", () => {
    const root = makeTree({ "d/inside": "", e: null });
    const folder = open(root);
    expect([folder.remove("d"), folder.remove("e"), folder.remove("gone")]).toEqual([false, true, true]);
    expect(readdirSync(root)).toEqual(["d"]);
    folder.close();
  });

  it.skipIf(byDescriptor && process.platform !== "linux")("never reaches what its name leads to by then", () => {
    const root = makeTree({ "mine/a": "a", "precious/a": "precious" });
    const parent = open(root);
    const folder = parent.folder("mine");
    renameSync(path.join(root, "mine"), path.join(root, "moved"));
    symlinkSync("precious", path.join(root, "mine"));
    try {
      folder.write("a", ["changed"]);
      folder.remove("b");
      closeSync(folder.openForAppending("new"));
    } catch (error) {
      expect(error).toMatchObject({ code: "ESTALE" });
    }
    expect(readdirSync(path.join(root, "precious"))).toEqual(["a"]);
    expect(readFileSync(path.join(root, "precious/a"), "utf8")).toBe("precious");
    folder.close();
    parent.close();
  });

  it.skipIf(byDescriptor && process.platform !== "linux")("takes nothing for a name that leads out of it", () => {
    const root = makeTree({ "in/a": "", precious: "" });
    const folder = open(path.join(root, "in"));
    for (const name of ["../precious", "..", ".", "", "a/../../precious", "a\0"]) {
      expect(() => folder.read(name, limit), JSON.stringify(name)).toThrow("not a file name");
      expect(() => folder.remove(name), JSON.stringify(name)).toThrow("not a file name");
    }
    expect(readdirSync(root).sort()).toEqual(["in", "precious"]);
    folder.close();
  });

  it.skipIf(byDescriptor && process.platform !== "linux")(
    "adds to a file of its own, and makes one only where none is",
    () => {
      const root = makeTree();
      const folder = open(root);
      for (const text of ["one ", "two"]) {
        const descriptor = folder.openForAppending("log");
        writeSync(descriptor, text);
        closeSync(descriptor);
      }
      expect(readFileSync(path.join(root, "log"), "utf8")).toBe("one two");
      expect([folder.make("first", "1"), folder.make("first", "2")]).toEqual([true, false]);
      expect(readFileSync(path.join(root, "first"), "utf8")).toBe("1");
      expect(readdirSync(root).sort()).toEqual(["first", "log"]);
      folder.close();
    },
  );

  it.skipIf(byDescriptor && process.platform !== "linux")("names files in errors as the user knows them", () => {
    const root = makeTree({ file: "" });
    const folder = open(root);
    expect(() => folder.folder("file")).toThrow(path.join(root, "file"));
    mkdirSync(path.join(root, "d"));
    expect(() => folder.openForAppending("d")).toThrow(expect.objectContaining({ path: path.join(root, "d") }));
    folder.close();
  });
});
