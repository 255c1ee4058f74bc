import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ProjectState } from "../../../src/state/index.ts";
import {
  Watcher,
  type HintListener,
  type HintSource,
  type SettledHints,
  type WatcherOptions,
} from "../../../src/watch/index.ts";
import { networkMount } from "../../../src/watch/network-mount.ts";
import { silentFolders } from "../../../src/watch/silent-mounts.ts";
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
    state: new ProjectState(root),
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
  return {
    root,
    clock,
    settled,
    notices,
    watcher,
    hint: (name: string) => listener!.onHint(path.join(root, name)),
    fail: (code: string) => listener!.onFailure(Object.assign(new Error(code), { code })),
    closed: () => closed,
  };
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

test("a lock beside which nothing is written any more was left by a git that was killed", () => {
  const { clock, settled, hint, root } = rig({ ".git/HEAD": "ref: refs/heads/main\n" });
  writeFileSync(path.join(root, ".git/index.lock"), "");
  for (let ms = 0; ms <= 8000; ms += 1000) {
    clock.advanceTo(ms);
    hint("a");
  }
  clock.advanceTo(17_900);
  expect(settled).toEqual([]);
  clock.advanceTo(18_400);
  expect(settled).toHaveLength(1);
});

test("a rebase holds changes back while it picks commits", () => {
  const { clock, settled, notices, hint, root } = rig({ ".git/HEAD": "" });
  mkdirSync(path.join(root, ".git/rebase-merge"));
  hint("a");
  for (let pick = 0; pick < 20; pick++) {
    writeFileSync(path.join(root, ".git/rebase-merge/msgnum"), "x".repeat(pick));
    clock.advanceTo((pick + 1) * 500);
  }
  expect([settled, notices]).toEqual([[], ["waiting: a rebase is under way"]]);
  rmSync(path.join(root, ".git/rebase-merge"), { recursive: true });
  clock.advanceTo(10_200);
  expect(settled).toHaveLength(1);
});

test.each(["rebase-merge", "rebase-apply"])(
  "a %s that rests waits for the user, or was left behind: it holds nobody up",
  (folder) => {
    const { clock, settled, hint, root } = rig({ ".git/HEAD": "" });
    mkdirSync(path.join(root, ".git", folder));
    hint("a");
    clock.advanceTo(500);
    expect(settled).toEqual([]);
    clock.advanceTo(1300);
    expect(settled).toHaveLength(1);
    // From then on every save is taken as ever.
    clock.advanceTo(60_000);
    hint("b");
    clock.advanceTo(60_050);
    expect(settled).toHaveLength(2);
  },
);

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

test("a look of every minute that hints have asked for as well is told as theirs", () => {
  const { clock, settled, hint, root } = rig({}, { concerns: (file) => !file.endsWith("foreign") });
  clock.advanceTo(60_020);
  hint("a");
  clock.advanceTo(60_100);
  expect(settled).toEqual([{ paths: new Set([path.join(root, "a")]), everywhere: "hints" }]);
  clock.advanceTo(120_010);
  hint("foreign");
  clock.advanceTo(120_100);
  expect(settled.at(-1)?.everywhere).toBe("timer");
});

test("the look of every minute comes again even if nobody tells how long the last one took", () => {
  const { clock, settled } = rig();
  clock.advanceTo(250_000);
  expect(settled.map((hints) => hints.everywhere)).toEqual(["timer", "timer", "timer", "timer"]);
});

test("a large tree is looked at less often, so that it costs a part of the time in 300", () => {
  const { clock, settled, watcher } = rig();
  watcher.scanTook(1000);
  clock.advanceTo(299_000);
  expect(settled).toEqual([]);
  clock.advanceTo(300_100);
  expect(settled).toHaveLength(1);
});

test("a network file system is polled from the start, and it is said why", () => {
  const { watcher, notices } = rig({}, { source: "auto", networkMount: () => "nfs4" });
  expect(watcher.kind).toBe("polling");
  expect(notices).toEqual([expect.stringMatching(/network file system \(nfs4\).*polling every 1000 ms/)]);
});

test("when git moves HEAD everything is looked at, though no file's hint comes", async () => {
  const { clock, settled, root } = rig({ ".git/HEAD": "ref: refs/heads/main\n" });
  const looked = new Promise<void>((resolve) => {
    const ask = (): void => {
      clock.advanceTo(clock.nowMs() + 100);
      if (settled.length > 0) resolve();
      else setImmediate(ask);
    };
    ask();
  });
  writeFileSync(path.join(root, ".git/HEAD"), "ref: refs/heads/other\n");
  await looked;
  expect(settled[0]!.everywhere).toBe("git");
});

test("files are calm when no hint waits and git has no lock", () => {
  const { watcher, clock, hint, root } = rig({ ".git/HEAD": "" });
  expect(watcher.isCalm()).toBe(true);
  hint("a");
  expect([watcher.isCalm(), watcher.isUnsettled]).toEqual([false, true]);
  clock.advanceTo(100);
  writeFileSync(path.join(root, ".git/index.lock"), "");
  expect([watcher.isCalm(), watcher.isUnsettled]).toEqual([false, false]);
});

test("a repository that is made later is looked at, too", () => {
  const { watcher, root } = rig();
  mkdirSync(path.join(root, ".git"));
  writeFileSync(path.join(root, ".git/index.lock"), "");
  expect(watcher.isCalm()).toBe(false);
});

test.each([
  ["36 35 0:30 / /mnt/nfs rw - nfs4 server:/x rw", "/mnt/nfs/project", "nfs4"],
  ["36 35 0:30 / /mnt/nfs rw - nfs4 server:/x rw", "/mnt/nfs2/project", undefined],
  ["36 35 0:30 / /mnt/my\\040share rw shared:1 - cifs //server/x rw", "/mnt/my share", "cifs"],
  [
    "36 35 0:30 / /mnt/nfs rw - nfs4 server:/x rw\n37 36 8:2 / /mnt/nfs/local rw - ext4 /dev/sda rw",
    "/mnt/nfs/local/p",
    undefined,
  ],
  ["36 35 0:30 / /home rw - fuse.sshfs me@host: rw", "/home/me", "fuse.sshfs"],
  ["", "/anywhere", undefined],
])("mounts %# are told apart by their longest match", (mounts, folder, type) => {
  expect(networkMount(folder, `22 1 8:1 / / rw - ext4 /dev/sda rw\n${mounts}\n`)).toBe(type);
});

test("a mount below the project that tells of nothing is looked at, and that is said once", () => {
  const all = [
    { path: "/", type: "overlay" },
    { path: "/proc", type: "proc" },
  ];
  const { root, clock, settled, notices, watcher } = rig({ "vol/a/x": "1", "src/y": "1" }, { mounts: () => all });
  all.push({ path: path.join(root, "vol"), type: "fuse.sshfs" }, { path: path.join(root, "src"), type: "ext4" });
  clock.advanceTo(3000);
  settled.splice(0);
  const folders = ["", "/vol", "/vol/a", "/src"].map((folder, index) => ({
    path: `${root}${folder}`,
    identity: BigInt(index),
  }));
  for (let look = 0; look < 2; look++) watcher.watch(folders, { rescan: false });
  expect(notices).toEqual([
    `${root}/vol is a separate mount (fuse.sshfs), which may not report every write; it is polled every 1000 ms`,
  ]);
  clock.advanceTo(5000);
  expect(settled).toEqual([]);
  writeFileSync(path.join(root, "vol/a/x"), "longer");
  writeFileSync(path.join(root, "src/y"), "longer");
  clock.advanceTo(7000);
  expect(settled).toEqual([{ paths: new Set([`${root}/vol/a`]), everywhere: undefined }]);
  watcher.close();
});

test("the mount of the project itself is none of them, whatever the mounts above it are", () => {
  const root = "/home/me/shop";
  const own = { path: root, type: "fuse.grpcfuse" };
  const vol = { path: `${root}/vol`, type: "9p" };
  const folders = [root, `${root}/src`, `${root}/vol`];
  for (const above of [
    [{ path: "/", type: "overlay" }],
    [
      { path: "/", type: "ext4" },
      { path: "/home/me", type: "nfs4" },
    ],
  ]) {
    expect(silentFolders(folders, root, [...above, own])).toEqual(new Map());
    expect(silentFolders(folders, root, [...above, own, vol])).toEqual(new Map([[vol, [`${root}/vol`]]]));
  }
});

test("a mount that comes or goes while the watch runs is a reason to look at everything", () => {
  const mounted: { path: string; type: string; id: string }[] = [{ path: "/", type: "ext4", id: "1" }];
  const { root, clock, settled, watcher } = rig({ "vol/x": "1" }, { mounts: () => mounted });
  clock.advanceTo(10_000);
  mounted.push({ path: "/elsewhere", type: "overlay", id: "2" });
  clock.advanceTo(20_000);
  expect(settled).toEqual([]);
  mounted.push({ path: path.join(root, "vol"), type: "overlay", id: "3" });
  clock.advanceTo(23_000);
  expect(settled.splice(0)).toEqual([{ paths: new Set(), everywhere: "mounted" }]);
  // Another one in its place.
  mounted[2] = { ...mounted[2]!, id: "4" };
  clock.advanceTo(26_000);
  expect(settled.splice(0)).toEqual([{ paths: new Set(), everywhere: "mounted" }]);
  mounted.pop();
  clock.advanceTo(30_000);
  expect(settled.splice(0)).toEqual([{ paths: new Set(), everywhere: "mounted" }]);
  watcher.close();
  mounted.pop();
  clock.advanceTo(50_000);
  expect(settled).toEqual([]);
});
