import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { exportedFiles, type ExportedFile } from "../../../src/module/exports/exported-files.ts";
import { hasUnfetched } from "../../../src/module/index.ts";
import { checkWorkspace } from "../../../src/module/manifest/manifest-toml.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-hostile-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("links to the folder that they lie in are no further modules", { timeout: 20_000 }, async () => {
  for (const name of ["a", "b"]) symlinkSync(".", path.join(folder, name));
  const dependencies = ["a", "b"].map((source) => ({ name: source, source }));
  writeFileSync(path.join(folder, "dagger.json"), JSON.stringify({ name: "x", sdk: "typescript", dependencies }));
  expect(await hasUnfetched(folder, { XDG_CACHE_HOME: path.join(folder, "cache") })).toBe(false);
});

const exportOf = (links: number, bytes: number): Promise<string> =>
  exportedFiles(
    "Directory",
    "id",
    (_type, _id, to) => {
      writeFileSync(path.join(to, "file"), Buffer.alloc(bytes, "x"), { mode: 0o640 });
      for (let index = 0; index < links; index++) symlinkSync("file", path.join(to, `link${index}`));
      symlinkSync("/etc/passwd", path.join(to, "outside"));
      symlinkSync("nowhere", path.join(to, "broken"));
      return Promise.resolve();
    },
    new AbortController().signal,
  );

it("what a body exports counts as often as links lead to it", async () => {
  await expect(exportOf(70, 1024 * 1024)).rejects.toThrow("these have 74448896");
  const files = JSON.parse(await exportOf(1, 3)) as ExportedFile[];
  expect(files.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
    { path: "file", mode: 0o640, content: "eHh4" },
    { path: "link0", mode: 0o640, content: "eHh4" },
  ]);
});

it("what a body exports is ended while it is written where it is too much", { timeout: 60_000 }, async () => {
  let written = 0;
  const exported = exportedFiles(
    "Directory",
    "id",
    async (_type, _id, to, signal) => {
      // Four times what is allowed; the folder goes with the export that was ended.
      for (; written < 256 && !signal.aborted; written++) {
        writeFileSync(path.join(to, `file${written}`), Buffer.alloc(1024 * 1024));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      signal.throwIfAborted();
    },
    new AbortController().signal,
  );
  await expect(exported).rejects.toThrow(/up to 67108864 bytes together, and these have \d+ or more/);
  expect(written).toBeLessThan(256);
});

const workspace = (text: string, environment?: string): unknown =>
  checkWorkspace("dagger.toml", `[modules.ci]\nsource = "./ci"\n${text}`, { lock: "", environment });

it.each(["0", "65536", "99999", "-1", "1e3"])("%s is no port of this machine", (port) => {
  const text = `[ports."${port}"]\nbackendService = "ci:web"\nbackendPort = 80\n`;
  expect(() => workspace(text)).toThrow("a port of this machine was expected");
});

it("an environment adds no module with a name that every object has", () => {
  const text = '[env.e.modules.constructor]\nsource = "./c"\n';
  expect(() => workspace(text, "e")).toThrow("no module can be called");
});
