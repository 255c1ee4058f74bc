import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { Watcher, type HintListener, type HintSource, type SettledHints, type WatcherOptions } from "../../../src/watch/index.ts";
import { makeTree } from "../tree/fixture.ts";
import { FakeClock } from "./fake-clock.ts";

/** A watcher on a fake clock, with a source that says what the test says. */
function rig(files: Parameters<typeof makeTree>[0] = {}, options: Partial<WatcherOptions> = {}) {
  const root = makeTree(files);
  const clock = new FakeClock();
  const settled: SettledHints[] = [];
  const notices: string[] = [];
  let listener: HintListener | undefined;
  let closed = 0;
  const source: HintSource = { kind: "folders", watch: (folders) => folders.length, close: () => void closed++ };
  const watcher = new Watcher({
    root,
    stateDir: path.join(root, ".fastloop"),
    clock,
    onSettled: (hints) => settled.push(hints),
    onNotice: (text) => notices.push(text),
    fingerprint: () => "",
    source: "folders",
    openSource: (_kind, given) => {
      listener = given;
      return source;
    },
    ...options,
  });
  return { root, clock, settled, notices, watcher, hint: (name: string) => listener!.onHint(path.join(root, name)), fail: (code: string) => listener!.onFailure(Object.assign(new Error(code), { code })), closed: () => closed };
}

test("hints of one burst are handed on together, after the quiet time", () => {
  const { clock, settled, hint, root } = rig();
  hint("a");
  clock.advanceTo(30);
  hint("b");
  clock.advanceTo(79);
  expect(settled).toEqual([]);
  clock.advanceTo(80);
  expect(settled).toEqual([{ paths: new Set([path.join(root, "a"), path.join(root, "b")]), everywhere: undefined }]);
});

test("while git holds its lock nothing is handed on, and it is said why", () => {
  const { clock, settled, notices, hint, root } = rig({ ".git/HEAD": "ref: refs/heads/main\n" });
  writeFileSync(path.join(root, ".git/index.lock"), "");
  hint("a");
  clock.advanceTo(5000);
  expect(settled).toEqual([]);
  expect(notices).toEqual(["waiting: git holds index.lock"]);
  rmSync(path.join(root, ".git/index.lock"));
  clock.advanceTo(5200);
  expect(settled).toHaveLength(1);
});

test("a rebase under way holds changes back too", () => {
  const { clock, settled, notices, hint, root } = rig({ ".git/HEAD": "" });
  mkdirSync(path.join(root, ".git/rebase-merge"));
  hint("a");
  clock.advanceTo(2000);
  expect([settled, notices]).toEqual([[], ["waiting: a rebase is under way"]]);
});

test("after git moved HEAD everything is looked at", () => {
  const { clock, settled, hint, root } = rig({ ".git/HEAD": "ref: refs/heads/main\n" });
  hint("a");
  writeFileSync(path.join(root, ".git/HEAD"), "ref: refs/heads/other\n");
  clock.advanceTo(100);
  expect(settled.map((hints) => hints.everywhere)).toEqual(["git"]);
});

test("a burst past the kernel's queue means a look at everything", () => {
  const { clock, settled, hint } = rig();
  for (let index = 0; index < 2001; index++) hint(`f${index}`);
  clock.advanceTo(50);
  expect(settled.map((hints) => hints.everywhere)).toEqual(["burst"]);
});

test.each(["ENOSPC", "EMFILE"])("out of kernel resources (%s) it polls, and says so", (code) => {
  const { clock, settled, notices, watcher, fail, closed } = rig();
  fail(code);
  clock.advanceTo(50);
  expect(watcher.kind).toBe("polling");
  expect(closed()).toBe(1);
  expect(notices).toEqual([expect.stringMatching(new RegExp(`${code}.*polling every 1000 ms`))]);
  expect(settled.map((hints) => hints.everywhere)).toEqual(["source-changed"]);
});

test("polling sees a change when the fingerprint moves, and only then", () => {
  let fingerprint = "1";
  const { clock, settled } = rig({}, { source: "polling", fingerprint: () => fingerprint });
  clock.advanceTo(3000);
  expect(settled).toEqual([]);
  fingerprint = "2";
  clock.advanceTo(4100);
  expect(settled).toHaveLength(1);
});

test("newly registered folders are looked at once more", () => {
  const { clock, settled, watcher, root } = rig();
  watcher.watch([{ path: root, identity: 1n }]);
  clock.advanceTo(50);
  expect(settled.map((hints) => hints.everywhere)).toEqual(["new-folders"]);
});

test("without a hint everything is looked at again after a minute", () => {
  const { clock, settled, watcher } = rig();
  clock.advanceTo(60_050);
  expect(settled.map((hints) => hints.everywhere)).toEqual(["timer"]);
  watcher.close();
  clock.advanceTo(600_000);
  expect(settled).toHaveLength(1);
});
