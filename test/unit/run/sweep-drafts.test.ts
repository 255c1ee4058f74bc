import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { sweepDrafts } from "../../../src/run/index.ts";
import { makeTree } from "../tree/fixture.ts";

/** Above every kernel's highest. */
const deadPid = 2 ** 22 + 1;

test("what processes that died were writing goes; what is whole, or written by one that lives, stays", () => {
  const state = makeTree({
    hashes: "",
    [`hashes.${deadPid}.0.tmp`]: "",
    [`hashes.${process.pid}.3.tmp`]: "",
    [`lock.${deadPid}`]: "",
    [`config.json.${deadPid}`]: "",
    "config.json": "",
    [`probe-${deadPid}/touch`]: "",
    "manifests/0123": "",
    [`manifests/0123.${deadPid}.1.tmp`]: "",
    [`calls/k.json.${deadPid}.1.tmp`]: "",
  });
  // A minute old: a younger one may be that of a process in another container, whose pid says nothing here.
  const old = new Date(Date.now() - 61_000);
  for (const name of readdirSync(state, { recursive: true, encoding: "utf8" })) utimesSync(path.join(state, name), old, old);
  writeFileSync(path.join(state, `lock.${deadPid + 1}`), "");
  sweepDrafts(state);
  expect(readdirSync(state, { recursive: true, encoding: "utf8" }).sort()).toEqual(["calls", "config.json", "hashes", `hashes.${process.pid}.3.tmp`, `lock.${deadPid + 1}`, "manifests", "manifests/0123"]);
});
