/** How a base image's layer is packed, with a tar in front of the real one that says what tar says on a busy machine. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
// @ts-expect-error plain JavaScript
import { packLayer } from "../../../tools/setup/layer.mjs";

const realTar = execFileSync("sh", ["-c", "command -v tar"], { encoding: "utf8" }).trim();
const realPath = process.env["PATH"];
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-layer-"));
  mkdirSync(path.join(folder, "root/etc"), { recursive: true });
  writeFileSync(path.join(folder, "root/etc/name"), "it\n");
});
afterEach(() => {
  process.env["PATH"] = realPath;
  rmSync(folder, { recursive: true, force: true });
});

/** `$list`: what is packed out of the root; `$count`: how often tar was started. */
function tarSays(script: string): void {
  const bin = path.join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(
    path.join(bin, "tar"),
    `#!/bin/sh\ncat > ${folder}/list\nlist=$(tr '\\0' '\\n' < ${folder}/list)\necho x >> ${folder}/count\ncount=$(wc -l < ${folder}/count)\n${script}\nexec ${realTar} "$@" < ${folder}/list\n`,
  );
  chmodSync(path.join(bin, "tar"), 0o755);
  process.env["PATH"] = `${bin}:${realPath}`;
}

const pack = (root: string, paths: string[]): Promise<{ digest: string; diffId: string; sizeBytes: number }> =>
  packLayer(root, paths, path.join(folder, "layer.tar.gz"), 1_735_689_600);
const packed = (): string[] =>
  execFileSync(realTar, ["-tzvf", path.join(folder, "layer.tar.gz")], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.replace(/\s+/g, " "));

describe("a layer", () => {
  it.runIf(process.platform === "linux")(
    "has what is mounted as an empty folder, which is not read where it is mounted",
    async () => {
      tarSays(`case "$list" in *proc*) echo "tar: proc: file changed as we read it" >&2; exit 1;; esac`);
      await pack("/", ["proc", "etc"]);
      expect(packed().map((line) => [line.split(" ")[0], line.split(" ").at(-1)])).toEqual([
        ["dr-xr-xr-x", "proc/"],
        ["drwxr-xr-x", "etc/"],
      ]);
    },
  );

  it("is packed again where its files changed while they were read", async () => {
    const quiet = await pack(path.join(folder, "root"), ["etc", "etc/name"]);
    tarSays('[ "$count" -lt 3 ] && { echo "tar: etc/name: file changed as we read it" >&2; exit 1; }');
    const busy = await pack(path.join(folder, "root"), ["etc", "etc/name"]);
    expect(busy.diffId).toBe(quiet.diffId);
  });

  it("is given up where they change all the time, and the files are named", async () => {
    tarSays('echo "tar: etc/name: file changed as we read it" >&2; exit 1');
    await expect(pack(path.join(folder, "root"), ["etc/name"])).rejects.toMatchObject({
      name: "Error",
      message: "the files of a base image change while they are packed",
      why: expect.stringContaining("etc/name") as string,
    });
  });

  it("fails with what tar says where a file can't be read", async () => {
    await expect(pack(path.join(folder, "root"), ["etc/absent"])).rejects.toMatchObject({
      message: "tar could not pack a base image",
      why: expect.stringContaining("etc/absent: Cannot stat: No such file") as string,
    });
  });
});
