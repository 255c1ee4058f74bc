import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectBuildkit, type BuildkitClient } from "../../src/buildkit/index.ts";
import type { ApiSession } from "../../src/core-api/index.ts";
import { openSessionOn } from "./api-session.ts";

let buildkit: BuildkitClient;
let session: ApiSession;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-host-files-"));
  const at = (name: string): string => path.join(folder, name);
  mkdirSync(at("project/folder"), { recursive: true });
  writeFileSync(at("outside.txt"), "outside\n");
  writeFileSync(at("project/real.txt"), "real\n");
  // Larger than what is sent in one piece.
  writeFileSync(at("project/large.bin"), "x".repeat(3_000_000));
  for (const [name, target] of Object.entries({
    "link.txt": "real.txt",
    "chain.txt": "folder/../link.txt",
    "folder/up.txt": "../real.txt",
    "out.txt": "../outside.txt",
    "large-link.bin": "large.bin",
    "same-folder": "folder",
    dangling: "nothing",
    circle: "circle",
  }))
    symlinkSync(target, at(`project/${name}`));
  buildkit = await connectBuildkit(process.env["FASTLOOP_TEST_BUILDKIT"]!);
  session = await openSessionOn(buildkit, { workdir: at("project") });
});
afterAll(async () => {
  await session?.close();
  await buildkit?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function fileOf(name: string, selection: string): Promise<{ file?: unknown; error?: string }> {
  const { data, errors } = (await session.execute(
    { query: `{ host { file(path: ${JSON.stringify(name)}) { ${selection} } } }` },
    { signal: new AbortController().signal },
  )) as { data?: { host?: { file?: unknown } }; errors?: { message: string }[] };
  return errors === undefined ? { file: data?.host?.file } : { error: errors[0]!.message };
}

describe("a file of the host that a link leads to", () => {
  it.each([
    ["link.txt", "real\n"],
    ["chain.txt", "real\n"],
    ["folder/up.txt", "real\n"],
    ["same-folder/up.txt", "real\n"],
    ["out.txt", "outside\n"],
    ["real.txt", "real\n"],
  ])("is %s, with the link's name and the content", async (name, contents) => {
    expect(await fileOf(name, "name contents size")).toEqual({
      file: { name: path.basename(name), contents, size: contents.length },
    });
  });

  it("has all of its content, however large it is", async () => {
    const copy = path.join(folder, "copy");
    await fileOf("large-link.bin", `export(path: ${JSON.stringify(copy)})`);
    expect(readFileSync(copy).equals(readFileSync(path.join(folder, "project/large.bin")))).toBe(true);
  });

  it.each([
    ["same-folder", "path same-folder is a directory, not a file"],
    ["folder", "path folder is a directory, not a file"],
    ["dangling", "no such file or directory"],
    ["circle", "ELOOP"],
    ["real.txt/x", "no such file or directory"],
  ])("is none when %s is asked for", async (name, error) => {
    expect((await fileOf(name, "contents")).error).toContain(error);
  });
});
