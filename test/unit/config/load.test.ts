import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "../../../src/config/index.ts";
import { UserError } from "../../../src/errors/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "fastloop-config-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("the nearest file upwards is taken, and what it names is relative to its folder", async () => {
  await writeFile(path.join(folder, "fastloop.yaml"), "version: 1\nname: here\n");
  await mkdir(path.join(folder, "a/b"), { recursive: true });
  const loaded = await loadConfig({ cwd: path.join(folder, "a/b") });
  expect(loaded).toMatchObject({ root: folder, config: { name: "here" } });
});

test("the search ends at the git root", async () => {
  await writeFile(path.join(folder, "fastloop.yaml"), "version: 1\nname: outside\n");
  await mkdir(path.join(folder, "project/.git"), { recursive: true });
  expect(await loadConfig({ cwd: path.join(folder, "project") })).toEqual({
    config: { version: 1 },
    root: path.join(folder, "project"),
    digest: "",
  });
});

test("a bad file is one error with the first place, and the others below", async () => {
  await writeFile(path.join(folder, "fastloop.yaml"), "version: 1\nwach: {}\ncache: { form: [] }\n");
  const error = await loadConfig({ cwd: folder }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).format()).toBe(
    "fastloop.yaml:2:1: unknown key `wach`\nfastloop.yaml:3:10: unknown key `form`\nhint: did you mean `watch`?",
  );
  expect((error as UserError).exitCode).toBe(2);
});

test("a named file that is not there is an error", async () => {
  await expect(loadConfig({ cwd: folder, file: "other.yaml" })).rejects.toThrow("there is no such file");
});
