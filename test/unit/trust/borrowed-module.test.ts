import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadProjectModule, parseCall } from "../../../src/call/index.ts";
import { asksOfCall } from "../../../src/trust/index.ts";

const root = mkdtempSync(path.join(tmpdir(), "fastloop-borrowed-"));
afterAll(() => rmSync(root, { recursive: true }));

test("fastloop's own module reads the project that uses it without a word, and nothing beside it", async () => {
  const cwd = path.join(root, "project");
  mkdirSync(cwd);
  writeFileSync(path.join(cwd, "fastloop.yaml"), "version: 1\nmodule: fastloop\n");
  const module = await loadProjectModule({ cwd });
  const asks = (to: typeof module) =>
    asksOfCall(parseCall(["build-base"], { module: to, cwd }), { module: to, cwd, env: {}, writtenBy: "user" });
  expect(asks(module)).toEqual([]);
  // A module that says that it is at home elsewhere does not get it by saying so.
  expect(asks({ ...module, borrowed: false })).toMatchObject([{ kind: "read", what: cwd }]);
});
