import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  constants,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { confineProgram } from "../../../src/module/index.ts";
import { PastScan, ProjectScanner, type ScannedInput } from "../../../src/plan/index.ts";
import { ProjectState } from "../../../src/state/index.ts";
import { ContentHasher } from "../../../src/tree/index.ts";
import { makeTree, seeded } from "../tree/fixture.ts";

/** Longer than what is written meanwhile could stay unseen. */
const settleMs = 60;

const inputsOf = (root: string): ScannedInput[] => [
  { kind: "directory", path: root, filter: { exclude: ["**/.fastloop", "**/.git"] } },
  { kind: "directory", path: path.join(root, "a"), filter: { leaveOut: "personal", exclude: ["**/.git"] } },
  { kind: "directory", path: path.join(root, "b"), filter: { include: ["**/*.ts"], gitignore: true } },
  {
    kind: "directory",
    path: root,
    follow: true,
    filter: { include: ["a/**", "lib/**", "!a/skip"], exclude: ["**/.git", "**/.fastloop"], leaveOut: "ignored" },
  },
  { kind: "file", path: path.join(root, "a/x.ts"), filter: {} },
  { kind: "file", path: path.join(root, "b/x.ts"), filter: {}, presence: true },
  { kind: "directory", path: path.join(root, "later"), filter: {} },
];

const digestsOf = (scanner: ProjectScanner, inputs: readonly ScannedInput[]): string[] => {
  const snapshot = scanner.scan();
  return inputs.map((input) => snapshot.digest(input));
};

/** What a command does: the digests, and whether they were taken over. */
async function plan(root: string, inputs: readonly ScannedInput[]): Promise<{ digests: string[]; isFound: boolean }> {
  const past = PastScan.ask(new ProjectState(root));
  const scanner = new ProjectScanner(inputs, new ContentHasher());
  const found = await past.snapshot(scanner);
  const seen = past.seen();
  const snapshot = found ?? scanner.scanNoting(seen);
  let digests = inputs.map((input) => snapshot.digest(input));
  // A digest needed a scan, so all have to come from that, as in a plan.
  if (found?.isAsFound === false) digests = inputs.map((input) => snapshot.digest(input));
  past.keep(scanner.key, snapshot, seen);
  return { digests, isFound: found !== undefined };
}

function project(): string {
  const root = makeTree({
    "a/x.ts": "1",
    "a/y.ts": "1",
    "a/skip": "1",
    "a/z.log": "1",
    "a/deep/x.ts": "1",
    "b/x.ts": "1",
    "b/z.log": "1",
    "lib/x.ts": "1",
    "node_modules/one/index.js": "1",
    "package.json": `{"dependencies":{"one":"1"}}`,
    ".gitignore": "*.log\n",
    ".fastloop": null,
  });
  execFileSync("git", ["init", "-q"], { cwd: root });
  execFileSync("git", ["add", "-A", "."], { cwd: root });
  return root;
}

describe.runIf(process.platform === "linux")("what an earlier scan found", () => {
  const helper = confineProgram();

  beforeEach(() => {
    if (helper === undefined) throw new Error("set-up has not built the helper");
    vi.stubEnv("FASTLOOP_CONFINE", helper);
    vi.stubEnv("FASTLOOP_PAST_SCAN", "always");
    const home = makeTree({ ".config/git/ignore": "*.tmp\n", "dist/build-id": "test" });
    vi.stubEnv("HOME", home);
    vi.stubEnv("XDG_CONFIG_HOME", "");
    vi.stubEnv("FASTLOOP_DIST", path.join(home, "dist"));
  });

  test("is taken over while nothing moves, and not when anything has", async () => {
    const root = project();
    const inputs = inputsOf(root);
    await setTimeout(settleMs);
    expect(await plan(root, inputs)).toMatchObject({ isFound: false });
    const { digests, isFound } = await plan(root, inputs);
    expect(isFound).toBe(true);
    expect(digests).toEqual(digestsOf(new ProjectScanner(inputs, new ContentHasher()), inputs));
    const { mtime } = lstatSync(path.join(root, "a/x.ts"));
    writeFileSync(path.join(root, "a/x.ts"), "2");
    utimesSync(path.join(root, "a/x.ts"), mtime, mtime);
    const edited = await plan(root, inputs);
    expect(edited.isFound).toBe(false);
    expect(edited.digests[0]).not.toBe(digests[0]);
  });

  test.each<[string, (root: string) => void]>([
    ["a rule", (root) => appendFileSync(path.join(root, ".gitignore"), "x.ts\n")],
    ["a rule that comes", (root) => writeFileSync(path.join(root, "a/.gitignore"), "x.ts\n")],
    ["a rule of the clone", (root) => appendFileSync(path.join(root, ".git/info/exclude"), "y.ts\n")],
    ["a rule of the user's", () => appendFileSync(path.join(process.env["HOME"]!, ".config/git/ignore"), "y.ts\n")],
    ["the user's configuration of git", () => writeFileSync(path.join(process.env["HOME"]!, ".gitconfig"), "[a]\n")],
    ["what git tracks", (root) => void execFileSync("git", ["add", "-f", "a/z.log"], { cwd: root })],
    ["a file that nobody wants", (root) => writeFileSync(path.join(root, "a/new.tmp"), "")],
    ["the mode of a file", (root) => chmodSync(path.join(root, "a/y.ts"), 0o600)],
    ["the mode of a folder", (root) => chmodSync(path.join(root, "a/deep"), 0o700)],
    ["a folder that was missing", (root) => mkdirSync(path.join(root, "later"))],
    ["a folder's place", (root) => renameSync(path.join(root, "a/deep"), path.join(root, "a/deeper"))],
    ["a link in a folder's place", linkInPlace],
    ["a repository", (root) => mkdirSync(path.join(root, "a/deep/.git"))],
    ["a link among packages", (root) => symlinkSync("../lib", path.join(root, "node_modules/lib"))],
    ["the size of a package.json", (root) => appendFileSync(path.join(root, "package.json"), " ")],
    ["another name of a file, written to", writeByOtherName],
  ])("is not taken over after a change of %s", async (_what, change) => {
    const root = project();
    const inputs = inputsOf(root);
    await setTimeout(settleMs);
    await plan(root, inputs);
    expect(await plan(root, inputs)).toMatchObject({ isFound: true });
    change(root);
    const now = await plan(root, inputs);
    expect(now.isFound).toBe(false);
    expect(now.digests).toEqual(digestsOf(new ProjectScanner(inputs, new ContentHasher()), inputs));
  });

  test("is not kept of files that were just written, or have names that are no text", async () => {
    const root = project();
    const inputs = inputsOf(root);
    writeFileSync(path.join(root, "a/x.ts"), "2");
    await plan(root, inputs);
    expect(existsSync(path.join(root, ".fastloop/scan"))).toBe(false);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/b/`), Buffer.from([0xff, 0x2e])]), "");
    await setTimeout(settleMs);
    await plan(root, inputs);
    expect(existsSync(path.join(root, ".fastloop/scan"))).toBe(false);
  });

  test("counts for the same inputs only", async () => {
    const root = project();
    const inputs = inputsOf(root);
    await setTimeout(settleMs);
    await plan(root, inputs);
    const others = inputs.map((input) => {
      const { exclude = [] } = input.filter;
      return { ...input, filter: { ...input.filter, exclude: [...exclude, "**/y.ts"] } };
    });
    expect(await plan(root, others)).toMatchObject({ isFound: false });
    expect(await plan(root, others)).toMatchObject({ isFound: true });
  });

  test("is completed by a command that needs more of it", async () => {
    const root = project();
    const inputs = inputsOf(root).filter(({ presence }) => presence === undefined);
    await setTimeout(settleMs);
    const ask = (): PastScan => PastScan.ask(new ProjectState(root));
    // As a run of one function of several.
    const past = ask();
    const scanner = new ProjectScanner(inputs, new ContentHasher());
    const seen = past.seen();
    const snapshot = scanner.scanNoting(seen);
    snapshot.digest(inputs[0]!);
    past.keep(scanner.key, snapshot, seen);
    const first = await plan(root, inputs);
    expect(first.isFound).toBe(true);
    const found = await ask().snapshot(new ProjectScanner(inputs, new ContentHasher()));
    expect(inputs.map((input) => found!.digest(input))).toEqual(first.digests);
    expect(found!.isAsFound).toBe(true);
  });

  test("belongs to the folder that a link led to when it was made", async () => {
    const root = project();
    symlinkSync("lib", path.join(root, "led"));
    const inputs: ScannedInput[] = [{ kind: "directory", path: path.join(root, "led"), filter: {} }];
    await setTimeout(settleMs);
    const past = PastScan.ask(new ProjectState(root));
    const scanner = new ProjectScanner(inputs, new ContentHasher());
    const seen = past.seen();
    const snapshot = scanner.scanNoting(seen);
    const { key } = scanner;
    const before = snapshot.digest(inputs[0]!);
    unlinkSync(path.join(root, "led"));
    symlinkSync("a", path.join(root, "led"));
    // As in a run, which stores its first scan at its end.
    scanner.scan();
    past.keep(key, snapshot, seen);
    const now = await plan(root, inputs);
    expect(now.isFound).toBe(false);
    expect(now.digests[0]).not.toBe(before);
  });

  test("is not taken over when the answer is old, or the helper cannot be started", async () => {
    const root = project();
    const inputs = inputsOf(root);
    await setTimeout(settleMs);
    await plan(root, inputs);
    const scanner = new ProjectScanner(inputs, new ContentHasher());
    const past = PastScan.ask(new ProjectState(root));
    expect(await past.snapshot(scanner)).toBeDefined();
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 6000);
    expect(await past.snapshot(scanner)).toBeUndefined();
    vi.restoreAllMocks();
    // The system refuses the name, so that Node throws.
    vi.stubEnv("FASTLOOP_CONFINE", `/${"x".repeat(5000)}`);
    expect(await plan(root, inputs)).toMatchObject({ isFound: false });
  });

  test("counts only as it was sealed, and nothing that a forged list names is looked at", async () => {
    const root = project();
    const inputs = inputsOf(root);
    const other = project();
    await setTimeout(settleMs);
    await plan(root, inputs);
    const file = path.join(root, ".fastloop/scan");
    const kept = readFileSync(file);
    const asked = makeTree();
    vi.stubEnv("FASTLOOP_CONFINE", path.join(asked, "helper"));
    writeFileSync(path.join(asked, "helper"), `#!/bin/sh\n: >${asked}/started\n`, { mode: 0o755 });
    for (const [from, to] of [
      [`D${root}`, `D${path.dirname(root)}/..`],
      ["Ex.ts\0", "E../../x.ts\0"],
      [`"seen":"`, `"seen":"0`],
    ] as const) {
      const text = kept.toString("latin1");
      expect(text).toContain(from);
      writeFileSync(file, Buffer.from(text.replace(from, to), "latin1"));
      expect(await plan(root, inputs)).toMatchObject({ isFound: false });
    }
    // That of another project is sealed for its place.
    writeFileSync(file, kept);
    writeFileSync(path.join(other, ".fastloop/scan"), kept);
    await plan(other, inputs);
    expect(existsSync(path.join(asked, "started"))).toBe(false);
    writeFileSync(file, kept);
    await plan(root, inputs);
    expect(existsSync(path.join(asked, "started"))).toBe(true);
  });

  test("is what a scan finds after any changes", { timeout: 120_000 + 1000 * rounds }, async () => {
    let taken = 0;
    for (let seed = 1; seed <= rounds / 25; seed++) {
      const random = seeded(seed);
      const root = project();
      const outside = makeTree({ x: "1" });
      const inputs = inputsOf(root);
      for (let round = 0; round < 25; round++) {
        const done: string[] = [];
        for (let count = random(4); count > 0; count--) done.push(changeAnything(root, outside, random));
        if (random(3) > 0) await setTimeout(settleMs);
        const { digests, isFound } = await plan(root, inputs);
        if (isFound) taken++;
        const clean = digestsOf(new ProjectScanner(inputs, new ContentHasher()), inputs);
        expect(
          digests,
          `seed ${seed}, round ${round}, ${isFound ? "taken over" : "scanned"}: ${done.join(", ")}`,
        ).toEqual(clean);
      }
    }
    expect(taken).toBeGreaterThan(rounds / 25);
  });
});

/** `FASTLOOP_PAST_SCANS`: so many rounds of up to three changes each. */
const rounds = Number(process.env["FASTLOOP_PAST_SCANS"] ?? 200);

function linkInPlace(root: string): void {
  renameSync(path.join(root, "a/deep"), path.join(root, "moved"));
  symlinkSync("../moved", path.join(root, "a/deep"));
}

function writeByOtherName(root: string): void {
  const other = path.join(makeTree(), "x");
  linkSync(path.join(root, "a/y.ts"), other);
  writeFileSync(other, "9");
  rmSync(other);
}

/** Writes a file; throws for a pipe, which nobody reads. */
function put(file: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NONBLOCK } = constants;
  writeFileSync(file, text, { flag: (O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK) as unknown as string });
}

/** One change of anything that a scan may rest on; what it was. */
function changeAnything(root: string, outside: string, random: (below: number) => number): string {
  const folders = ["", "a", "a/deep", "b", "lib", "later", "node_modules", "node_modules/@s", "a/B"];
  const names = [
    "x.ts",
    "X.ts",
    "y.ts",
    "z.log",
    "n.tmp",
    ".gitignore",
    "skip",
    "package.json",
    "é.ts",
    "\u{1F600}.ts",
  ];
  const pick = <T>(items: readonly T[]): T => items[random(items.length)]!;
  const file = path.join(root, pick(folders), pick(names));
  const other = path.join(root, pick(folders), pick(names));
  const folder = path.join(root, pick(folders.slice(1)));
  const rules = ["*.log\n", "x.ts\n", "!z.log\n", "deep/\n", "", "*.ts\n!y.ts\n"];
  // Git waits for a pipe that is called .gitignore.
  const git = (...args: string[]): unknown => execFileSync("git", args, { cwd: root, stdio: "ignore", timeout: 5000 });
  const changes: Record<string, () => unknown> = {
    write: () => (mkdirSync(path.dirname(file), { recursive: true }), put(file, String(random(10)))),
    rewrite() {
      const { mtime } = lstatSync(file);
      put(file, String(random(10)));
      utimesSync(file, mtime, mtime);
    },
    touch: () => utimesSync(file, new Date(), new Date(random(2) * 1e12)),
    remove: () => unlinkSync(file),
    rename: () => renameSync(file, other),
    swap() {
      renameSync(file, `${root}/swap`);
      renameSync(other, file);
      renameSync(`${root}/swap`, other);
    },
    link: () => linkSync(file, path.join(outside, `of ${path.basename(file)}`)),
    "write outside": () => put(path.join(outside, pick(readdirSync(outside))), String(random(10))),
    symlink: () => (
      rmSync(file, { force: true }),
      symlinkSync(pick(["x.ts", "../lib", "../a", "nowhere", root]), file)
    ),
    "workspace link": () =>
      symlinkSync(
        pick(["../lib", "../b", "../../a"]),
        path.join(root, pick(["node_modules", "node_modules/@s"]), "one"),
      ),
    mode: () => chmodSync(random(2) === 0 ? file : folder, pick([0o700, 0o755, 0o777])),
    folder: () => mkdirSync(folder, { recursive: true }),
    "remove folder": () => rmSync(folder, { recursive: true }),
    "move folder": () => renameSync(folder, path.join(root, pick(folders.slice(1)))),
    "swap folders"() {
      renameSync(`${root}/a`, `${root}/swap`);
      renameSync(`${root}/b`, `${root}/a`);
      renameSync(`${root}/swap`, `${root}/b`);
    },
    "folder by link"() {
      renameSync(folder, path.join(outside, "moved"));
      symlinkSync(path.join(outside, "moved"), folder);
    },
    pipe: () => execFileSync("mkfifo", [file], { stdio: "ignore" }),
    rules: () => put(path.join(root, pick(folders), ".gitignore"), pick(rules)),
    "rules of the clone": () => put(path.join(root, ".git/info/exclude"), pick(rules)),
    "rules of the user": () => put(path.join(process.env["HOME"]!, ".config/git/ignore"), pick(rules)),
    tracked: () => git("add", "-f", file),
    untracked: () => git("rm", "--cached", "-q", "-f", "-r", file),
    "index in two": () => git("update-index", pick(["--split-index", "--no-split-index"])),
    repository: () => (random(3) > 0 ? rmSync(`${folder}/.git`, { recursive: true }) : mkdirSync(`${folder}/.git`)),
    "git's own folder": () =>
      existsSync(`${root}/.git`)
        ? renameSync(`${root}/.git`, `${root}/.got`)
        : renameSync(`${root}/.got`, `${root}/.git`),
    manifest: () =>
      put(
        path.join(root, pick(["", "a", "lib"]), "package.json"),
        JSON.stringify({ dependencies: { one: "1", "@s/one": "1" } }),
      ),
  };
  const [name, change] = pick(Object.entries(changes));
  try {
    change();
    return `${name} ${path.relative(root, file)}`;
  } catch {
    return `(${name})`;
  }
}
