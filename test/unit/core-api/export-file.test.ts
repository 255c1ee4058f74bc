import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { exportFile } from "../../../src/core-api/tree/export-directory.ts";
import type { Call } from "../../../src/core-api/request/call.ts";
import type { File } from "../../../src/core-api/values/values.ts";

it("two exports to one place leave one of the two files, whole, and nothing beside it", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fastloop-export-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  let waiting = 0;
  let bothWrite = (): void => undefined;
  const both = new Promise<void>((resolve) => (bothWrite = resolve));
  const writing = (content: string): Call => {
    const build = {
      statFile: async () => ({
        path: "f",
        mode: 0o644,
        uid: 0,
        gid: 0,
        sizeBytes: content.length,
        modTime: 0n,
        linkname: "",
      }),
      readFile: async () => {
        if (++waiting === 2) bothWrite();
        await both;
        return Buffer.from(content);
      },
    };
    const session = {
      hostTrees: {
        resolve: (name: string) => path.resolve(folder, name),
        makeFolders: (place: string) => mkdirSync(place, { recursive: true }),
        umask: 0o022,
      },
      evaluate: (_call: unknown, _tree: unknown, use: (build: unknown, ref: object) => unknown) =>
        use(build, { id: "r" }),
    };
    return { session, signal: new AbortController().signal } as unknown as Call;
  };
  const file = { type: "File", path: "/f" } as unknown as File;
  await Promise.all([
    exportFile(writing("a".repeat(9000)), file, "out", false),
    exportFile(writing("b".repeat(5000)), file, "out", false),
  ]);
  expect(["a".repeat(9000), "b".repeat(5000)]).toContain(readFileSync(path.join(folder, "out"), "utf8"));
  expect(readdirSync(folder)).toEqual(["out"]);
});
