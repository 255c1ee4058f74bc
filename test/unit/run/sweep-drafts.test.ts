import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { sweepDrafts } from "../../../src/run/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { makeTree } from "../tree/fixture.ts";

/** Above every kernel's highest. */
const deadPid = 2 ** 22 + 1;
const digest = "0123".repeat(16);

test("what processes that died were writing goes; what is whole, written by one that lives, or none of ours, stays", () => {
  const kept = {
    hashes: "",
    [`hashes.${process.pid}.3.tmp`]: "",
    "config.json": "",
    [`manifests/${digest}`]: "",
    // Names that only resemble ours, and folders with something in them.
    "site-v1.99999/index.html": "work",
    [`notes.${deadPid}`]: "",
    [`manifests/0123.${deadPid}.1.tmp`]: "",
    [`calls/k.json.${deadPid}.1.tmp`]: "",
    [`probe-${deadPid + 2}/touch`]: "",
  };
  const root = makeTree(
    Object.fromEntries(
      Object.entries({
        ...kept,
        [`hashes.${deadPid}.0.tmp`]: "",
        [`lock.${deadPid}.0.tmp`]: "",
        [`lock.${deadPid}.stale`]: "",
        [`config.json.${deadPid}.0.tmp`]: "",
        [`probe-${deadPid}`]: "",
        [`manifests/${digest}.${deadPid}.1.tmp`]: "",
        [`calls/${digest}.json.${deadPid}.1.tmp`]: "",
      }).map(([name, text]) => [`.fastloop/${name}`, text]),
    ),
  );
  const state = new ProjectState(root);
  // A minute old: a younger one may be that of a process in another container, whose pid says nothing here.
  const old = new Date(Date.now() - 61_000);
  for (const name of readdirSync(state.path, { recursive: true, encoding: "utf8" }))
    utimesSync(path.join(state.path, name), old, old);
  const young = `lock.${deadPid + 1}.stale`;
  writeFileSync(path.join(state.path, young), "");
  sweepDrafts(state);
  const files = readdirSync(state.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map((entry) => path.relative(state.path, path.join(entry.parentPath, entry.name)));
  expect(names.sort()).toEqual([...Object.keys(kept), young].sort());
});
