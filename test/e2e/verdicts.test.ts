/** A verdict and an exit code are those of the files as they are, whoever writes while functions run. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { spawn, spawnSync } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import { cliFile } from "./cli-process.ts";
import { FileProject } from "./file-project.ts";
import type { WatchProcess } from "./loop-project.ts";

let project: FileProject;
const writers: NodeJS.Timeout[] = [];
afterEach(async () => {
  for (const writer of writers.splice(0)) clearInterval(writer);
  await project.remove();
});

const cat = (name: string, file: string, rest: string): string =>
  `${name}: { call: "cat --source . --file ${file}", ${rest} }`;

/** A program that writes there all the time. */
function keepsWriting(
  name: string,
  everyMs: number,
  how: (file: string) => void = (file) => appendFileSync(file, "line\n"),
): void {
  project.write(name, "");
  writers.push(setInterval(() => how(project.at(name)), everyMs));
}

async function said(process: WatchProcess, text: RegExp): Promise<void> {
  for (;;) if (text.test(String((await process.next("notice"))["text"]))) return;
}

describe("fastloop run", () => {
  test("that a save overtook runs again: the exit code is that of the new file", async () => {
    project = new FileProject([cat("a", "src/a.txt", "inputs: [src/]")], { "src/a.txt": "wait 1500" });
    const run = project.start("run");
    expect(await run.next("output", "a")).toMatchObject({ text: expect.stringContaining("read") });
    project.write("src/a.txt", "broken");
    expect(await run.next("finished", "a")).toMatchObject({ outcome: "stale", fresh: false, moved: ["src/a.txt"] });
    expect(await run.next("finished", "a")).toMatchObject({ outcome: "failed", fresh: true });
    expect(await run.next("summary")).toMatchObject({ failed: ["a"], passed: [] });
    expect(await run.end()).toBe(1);
  });

  test("looks once more before it ends: what was edited after it had run, or was current, is run", async () => {
    const targets = [
      cat("a", "src/a.txt", "inputs: [src/]"),
      cat("b", "lib/b.txt", "inputs: [lib/]"),
      cat("c", "doc/c.txt", "inputs: [doc/]"),
    ];
    project = new FileProject(targets, { "src/a.txt": "one", "lib/b.txt": "quick", "doc/c.txt": "same" });
    expect((await project.run("run", "c")).exitCode).toBe(0);
    project.write("lib/b.txt", "wait 2500");
    const run = project.start("run");
    await run.until((events) =>
      ["finished a", "output b"].every((wanted) => events.some(({ event, name }) => wanted === `${event} ${name}`)),
    );
    project.write("src/a.txt", "two");
    project.write("doc/c.txt", "broken");
    const from = run.events.length;
    const summary = await run.next("summary");
    expect(summary).toMatchObject({ passed: expect.arrayContaining(["a", "b"]), failed: ["c"], current: [] });
    expect(run.startedSince(from).sort()).toEqual(["a", "c"]);
    expect(await run.end()).toBe(1);
    expect((await project.run("plan")).stdout).toMatch(/current {2}a/);
  });

  test.each(["in place", "by a rename"])("sees an edit %s that keeps a file's size and time", async (how) => {
    project = new FileProject([cat("a", "src/a.txt", "inputs: [src/]")], { "src/a.txt": "works." });
    const time = new Date(1_700_000_000_000);
    utimesSync(project.at("src/a.txt"), time, time);
    expect((await project.run("run")).exitCode).toBe(0);
    const written = how === "in place" ? "src/a.txt" : "other";
    project.write(written, "broken");
    utimesSync(project.at(written), time, time);
    if (written === "other") renameSync(project.at("other"), project.at("src/a.txt"));
    expect((await project.run("run")).exitCode).toBe(1);
    project.write("src/a.txt", "works.");
    utimesSync(project.at("src/a.txt"), time, time);
    expect((await project.run("run", "--force")).exitCode).toBe(0);
  });

  test("a failure that only a moved file made is no annotation and no JUnit failure", async () => {
    project = new FileProject([cat("a", "src/a.txt", "inputs: [src/]")], { "src/a.txt": "wait 1500 broken" });
    const child = spawn(process.execPath, [cliFile, "run", "--format", "github", "--junit", "junit.xml"], {
      cwd: project.root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    // It has been read when its record's log says so.
    const logs = (): string => (existsSync(project.at(".fastloop/runs")) ? project.runLogs() : "");
    const waiting = setInterval(() => {
      if (!logs().includes("read src/a.txt")) return;
      clearInterval(waiting);
      writeFileSync(project.at("src/a.txt"), "mended");
    }, 20);
    writers.push(waiting);
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
    expect(output).toMatch(/a stale in .*: src\/a.txt changed while it ran\na passed/);
    expect(output).not.toContain("::error");
    expect(readFileSync(project.at("junit.xml"), "utf8")).toContain('failures="0"');
  });

  test("its own output in the tree, ignored or not, neither fails nor repeats nor dirties what does not read it", async () => {
    const targets = [cat("a", "src/a.txt", "inputs: [src/]"), cat("b", "lib/b.txt", "inputs: [lib/], needs: [a]")];
    project = new FileProject(targets, { "src/a.txt": "one", "lib/b.txt": "two", ".gitignore": "*.log\n" });
    for (const name of ["run.log", "out.txt"]) {
      const output = project.at(name);
      const code = await new Promise((resolve) =>
        spawn("sh", ["-c", `"$0" "$1" run --all --json > "$2"`, process.execPath, cliFile, output], {
          cwd: project.root,
          stdio: "inherit",
        }).once("close", resolve),
      );
      expect(code).toBe(0);
      expect(readFileSync(output, "utf8").match(/"event":"started"/g)).toHaveLength(2);
    }
    expect((await project.run("run")).stdout).toContain("2 current (nothing to run)");
  });

  test("what it prints to is none of its inputs, though the call reads the whole project", async () => {
    project = new FileProject([`a: { call: "cat --source . --file src/a.txt" }`], { "src/a.txt": "wait 300" });
    for (const redirected of ["> run.log", "2> err.log > src/out.log", "2>&1 | tee last.txt"]) {
      const code = await new Promise((resolve) =>
        spawn("bash", ["-o", "pipefail", "-c", `"$0" "$1" run --all --json ${redirected}`, process.execPath, cliFile], {
          cwd: project.root,
          stdio: ["ignore", "ignore", "inherit"],
        }).once("close", resolve),
      );
      expect([redirected, code]).toEqual([redirected, 0]);
    }
    expect(readFileSync(project.at("run.log"), "utf8").match(/"event":"started"/g)).toHaveLength(1);
  });

  test("inputs that never rest end it with 1, and the file is named", { timeout: 300_000 }, async () => {
    project = new FileProject([cat("a", "src/a.txt", "inputs: [src/]")], { "src/a.txt": "wait 300" });
    keepsWriting("src/dev.log", 20);
    const { exitCode, stdout } = await project.run("run");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/its inputs changed during or after each of 6 runs: src\/dev.log/);
    expect(stdout).toContain('leave it out: inputs of watch.targets.a: "!src/dev.log"');
  });
});

describe("fastloop watch", () => {
  test("a save during a run is told as stale, with the file, and never as failed", async () => {
    project = new FileProject([cat("a", "src/a.txt", "inputs: [src/], policy: queue")], {
      "src/a.txt": "wait 1500 broken",
    });
    const watch = project.start("watch");
    await watch.next("output", "a");
    project.write("src/a.txt", "mended");
    expect(await watch.next("finished", "a")).toMatchObject({ outcome: "stale", moved: ["src/a.txt"] });
    expect(await watch.next("finished", "a")).toMatchObject({ outcome: "passed" });
    expect(await watch.next("settled")).toMatchObject({ current: ["a"] });
  });

  test.each([
    ["appends to", (file: string) => appendFileSync(file, "line\n")],
    ["writes anew", (file: string) => writeFileSync(file, String(Math.random()))],
    ["makes and deletes", (file: string) => (existsSync(file) ? rmSync(file) : writeFileSync(file, "x"))],
  ] as const)(
    "a program that %s a file that nobody reads makes one run of an edit, and it settles",
    async (_what, how) => {
      const targets = [cat("a", "src/a.txt", "inputs: [src/]"), cat("b", "lib/b.txt", "inputs: [lib/], needs: [a]")];
      project = new FileProject(targets, {
        "src/a.txt": "one",
        "lib/b.txt": "two",
        ".gitignore": "*.log\n",
        "src/deep/b.txt": "x",
      });
      const watch = project.start("watch");
      await watch.next("settled");
      keepsWriting("dev.log", 20, how);
      keepsWriting("cache/manifest.json", 50, how);
      for (const text of ["two", "three"]) {
        const from = watch.events.length;
        project.write("src/a.txt", text);
        expect(await watch.next("finished", "a")).toMatchObject({ outcome: "passed", value: text });
        await watch.next("settled");
        expect(watch.startedSince(from)).toEqual(["a", "b"]);
      }
      // Nothing of it is a reason to look.
      const looks = watch.events.length;
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(watch.events.slice(looks).map((event) => event.event)).toEqual([]);
    },
  );

  test(
    "a call that writes into its own inputs waits longer each time, says so, and starves nobody",
    { timeout: 300_000 },
    async () => {
      const targets = [
        'gen: { call: "gen --source . --stamp export --path src/gen", inputs: [src/] }',
        cat("use", "src/gen/out.txt", "inputs: [src/], needs: [gen]"),
      ];
      project = new FileProject(targets, { "src/a.txt": "one" });
      const watch = project.start("watch");
      await said(watch, /^gen: src\/gen(\/out\.txt)?\b.* changes during each run, 3 times in a row.*"!src\/gen/);
      await watch.next("started", "use");
      const starts = [];
      for (let run = 0; run < 3; run++) starts.push(Number((await watch.next("started", "gen"))["atMs"]));
      expect(starts[2]! - starts[1]!).toBeGreaterThan(900);
    },
  );
});

describe("while git is at work", () => {
  test("a rebase that stops for the user stops nobody: saves run, and its end is one run more", async () => {
    project = new FileProject([cat("a", "src/a.txt", "inputs: [src/]")], { "src/a.txt": "one" });
    project.commitAll();
    project.git("checkout", "-q", "-b", "topic");
    for (const text of ["two", "three"]) {
      project.write("src/a.txt", text);
      project.git("commit", "-q", "-am", text);
    }
    const watch = project.start("watch");
    await watch.next("settled");
    expect(() => project.git("rebase", "-q", "-i", "--exec", "false", "main")).toThrow();
    expect(await watch.next("finished", "a")).toMatchObject({ value: "two" });
    project.write("src/a.txt", "while it waits");
    expect(await watch.next("finished", "a")).toMatchObject({ outcome: "passed", value: "while it waits" });
    project.git("checkout", "-q", "src/a.txt");
    project.git("rebase", "--abort");
    await watch.next("settled");
    expect(await watch.kill("SIGTERM")).toBe(130);
    expect((await project.run("plan")).stdout).toMatch(/current {2}a/);
  });
});

describe("ignore rules", () => {
  test("what git tracks is an input whatever they say, in plan, watch and affected alike", async () => {
    project = new FileProject([cat("a", "cfg/a.local", "inputs: [cfg/]")], {
      "cfg/a.local": "one",
      "cfg/b.local": "one",
      ".gitignore": "*.local\n",
    });
    project.git("init", "-q", "-b", "main");
    project.git("add", "-A");
    project.git("add", "-f", "cfg/a.local");
    project.git("commit", "-q", "-m", "all");
    const watch = project.start("watch");
    await watch.next("settled");
    const from = watch.events.length;
    project.write("cfg/b.local", "two");
    project.write("cfg/a.local", "two");
    expect(await watch.next("finished", "a")).toMatchObject({ outcome: "passed", value: "two" });
    await watch.kill("SIGTERM");
    expect(watch.startedSince(from)).toEqual(["a"]);
    project.write("cfg/a.local", "three");
    expect((await project.run("plan")).stdout).toMatch(/run {6}a .*cfg\/a.local changed/);
    expect((await project.run("affected", "--since", "HEAD")).stdout).toContain("cfg/a.local changed");
  });

  test("that change while a watch runs take effect at once, in any .gitignore and in info/exclude", async () => {
    project = new FileProject([cat("a", "src/a.txt", "inputs: [src/]")], { "src/a.txt": "one", "src/deep/log": "one" });
    project.commitAll();
    const watch = project.start("watch");
    await watch.next("settled");
    project.write("src/.gitignore", "new.*\n");
    await watch.next("finished", "a");
    await watch.next("settled");
    project.write("src/new.txt", "ignored");
    const edits: [string, string, RegExp][] = [
      [".gitignore", "new.*\n", /^$/],
      ["src/.gitignore", "", /src\/.gitignore changed$/],
      [".gitignore", "", /src\/new.txt added/],
      ["src/deep/.gitignore", "other\n", /src\/deep\/.gitignore added/],
      [".git/info/exclude", "new.*\n", /src\/new.txt removed/],
      [".git/info/exclude", "[z-a]x\n", /^$/],
    ];
    for (const [file, text, why] of edits) {
      const from = watch.events.length;
      project.write(file, text);
      await watch.until((events) => events.slice(from).some(({ event }) => event === "settled"));
      const planned = watch.events
        .slice(from)
        .filter(({ event }) => event === "planned")
        .flatMap((event) => event["affected"] as { reasons: { path?: string; change?: string }[] }[]);
      expect(
        planned.flatMap(({ reasons }) => reasons.map(({ path: at, change }) => `${at} ${change}`)).join(" "),
        file,
      ).toMatch(why);
    }
  });

  test.each(["inputs: [src/]", "tier: fast"])(
    "an editor's swap file and a backup run nothing with %s",
    async (rest) => {
      project = new FileProject([cat("a", "src/a", rest)], { "src/a": "one" });
      const watch = project.start("watch");
      await watch.next("settled");
      const from = watch.events.length;
      project.write("src/.a.swp", "b0VIM");
      project.write("src/a~", "one");
      project.write("src/a", "two");
      expect(await watch.next("finished", "a")).toMatchObject({ value: "two" });
      rmSync(project.at("src/.a.swp"));
      rmSync(project.at("src/a~"));
      project.write("src/a", "three");
      expect(await watch.next("finished", "a")).toMatchObject({ value: "three" });
      expect(watch.startedSince(from)).toEqual(["a", "a"]);
    },
  );
});

describe("the screen", () => {
  test("tells the run that counts after an edit is taken back, and a deletion is one run", async () => {
    project = new FileProject([cat("a", "src/a.txt", "inputs: [src/]")], {
      "src/a.txt": "one",
      "src/b.txt": "x",
      "src/c.txt": "x",
    });
    const watch = project.start("watch");
    const passed = await watch.next("finished", "a");
    await watch.next("settled");
    project.write("src/a.txt", "broken");
    await watch.next("finished", "a");
    project.write("src/a.txt", "one");
    expect(await watch.next("restored", "a")).toMatchObject({
      digest: passed["digest"],
      durationMs: passed["durationMs"],
    });
    await watch.next("settled");
    // Also where the edit passed: what comes next differs from what counts, not from what ran last.
    project.write("src/a.txt", "two");
    await watch.next("finished", "a");
    project.write("src/a.txt", "one");
    await watch.next("restored", "a");
    await watch.next("settled");
    const from = watch.events.length;
    rmSync(project.at("src/b.txt"));
    expect(await watch.next("started", "a")).toMatchObject({
      reasons: [{ kind: "file", change: "removed", path: "src/b.txt" }],
    });
    await watch.next("finished", "a");
    await watch.next("settled");
    expect(watch.startedSince(from)).toEqual(["a"]);
  });

  test("says which setting it can't take over, and which entry of inputs matches nothing", async () => {
    project = new FileProject([cat("a", "src/a.txt", "inputs: [src/, scr/]")], { "src/a.txt": "one" });
    const watch = project.start("watch");
    await said(watch, /inputs: "scr\/" matches nothing; did you mean "src\/"\?/);
    await watch.next("settled");
    project.configure([cat("a", "src/a.txt", "inputs: [src/]")], "  debounce: 70ms\n");
    await said(watch, /watch\.debounce was changed/);
  });
});

test("a link among the inputs is what it leads to, in watch, plan and affected", async () => {
  project = new FileProject([cat("a", "libs/v1/x", "inputs: [libs/current/]")], {
    "libs/v1/x": "one",
    "libs/v2/x": "two",
  });
  symlinkSync("v1", project.at("libs/current"));
  project.commitAll();
  const watch = project.start("watch");
  await watch.next("settled");
  project.write("libs/v1/x", "edited");
  expect(await watch.next("finished", "a")).toMatchObject({ outcome: "passed", value: "edited" });
  await watch.kill("SIGTERM");
  project.write("libs/v1/x", "again");
  expect((await project.run("plan")).stdout).toMatch(/run {6}a .*libs\/v1\/x changed/);
  expect((await project.run("affected", "--since", "HEAD")).stdout).toContain("libs/v1/x changed");
});

test("a package of a workspace that a link in node_modules leads to is an input, in watch and plan", async () => {
  project = new FileProject([cat("a", "packages/ui/x", "inputs: [app/]")], {
    "app/package.json": "{}",
    "packages/ui/x": "one",
    "packages/other/x": "one",
    ".gitignore": "node_modules\n",
  });
  mkdirSync(project.at("app/node_modules/@me"), { recursive: true });
  project.commitAll();
  const watch = project.start("watch");
  await watch.next("settled");
  // As an install does while the watch runs.
  symlinkSync("../../../packages/ui", project.at("app/node_modules/@me/ui"));
  expect(await watch.next("finished", "a")).toMatchObject({ outcome: "passed", value: "one" });
  await watch.next("settled");
  const from = watch.events.length;
  project.write("packages/other/x", "edited");
  project.write("packages/ui/x", "edited");
  expect(await watch.next("finished", "a")).toMatchObject({ outcome: "passed", value: "edited" });
  await watch.next("settled");
  expect(watch.startedSince(from)).toEqual(["a"]);
  await watch.kill("SIGTERM");
  project.write("packages/ui/x", "again");
  expect((await project.run("plan")).stdout).toMatch(/run {6}a .*packages\/ui\/x changed/);
});

const overlay = "mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work vol";
const canMount =
  spawnSync("unshare", [
    "--user",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    `cd $(mktemp -d) && mkdir low up work vol && ${overlay}`,
  ]).status === 0;

describe.skipIf(!canMount)("a mount below the project that sends no events", () => {
  const files = {
    "src/a.txt": "one",
    "low/f": "1",
    "up/.keep": "",
    "work/.keep": "",
    "vol/.keep": "",
    "lib/b.txt": "b",
  };
  const targets = [
    'a: { call: "cat --source src --file a.txt", inputs: [vol/] }',
    'b: { call: "cat --source lib --file b.txt" }',
  ];

  test("is told and looked at: what is written below it runs what reads it", async () => {
    project = new FileProject(targets, files);
    const watch = project.startWithMounts(overlay);
    await said(watch, /vol is a separate mount \(overlay\).*polled every 1000 ms/);
    await watch.next("settled");
    const from = watch.events.length;
    // Into the layer, past the mount: the kernel tells nobody who watches the mount.
    project.write("low/f", "written past the mount");
    expect(await watch.next("finished", "a")).toMatchObject({ outcome: "passed" });
    await watch.next("settled");
    project.write("low/deep/new", "1");
    await watch.next("finished", "a");
    await watch.next("settled");
    expect(watch.startedSince(from)).toEqual(["a", "a"]);
  });

  test("is noticed when it comes while the watch runs", async () => {
    project = new FileProject(targets, files);
    const watch = project.startWithMounts(`{ until [ -e go ]; do sleep 0.1; done; ${overlay}; } &`);
    await watch.next("settled");
    const from = watch.events.length;
    project.write("go", "");
    await said(watch, /vol is a separate mount/);
    await watch.next("settled");
    expect(watch.startedSince(from)).toEqual(["a"]);
    expect(watch.events.filter(({ event, look }) => event === "planned" && look === "mounted")).toHaveLength(1);
  });
});
