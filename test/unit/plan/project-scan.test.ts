import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { loadModule } from "../../../src/module/index.ts";
import { moduleSources, ProjectScanner, type ScannedInput } from "../../../src/plan/index.ts";
import { ContentHasher } from "../../../src/tree/index.ts";
import { makeTree, seeded } from "../tree/fixture.ts";

/** A clock an hour ahead of the files: nothing that was written so far is racy. */
const later = (): bigint => BigInt(Date.now() + 3_600_000) * 1_000_000n;

const inputsOf = (root: string): ScannedInput[] => [
  { kind: "directory", path: root, filter: {} },
  { kind: "directory", path: path.join(root, "a"), filter: { exclude: ["x"] } },
  { kind: "directory", path: path.join(root, "b"), filter: {} },
  { kind: "file", path: path.join(root, "a/x"), filter: {} },
];

test("digests that a snapshot takes over are those that it would compute, whatever was edited", () => {
  for (let seed = 1; seed <= 25; seed++) {
    const random = seeded(seed);
    const root = makeTree({ "a/x": "1", "a/y": "1", "b/x": "1", "c/d": "1" });
    const inputs = inputsOf(root);
    const scanner = new ProjectScanner(inputs, new ContentHasher());
    let before = scanner.scan();
    for (let round = 0; round < 10; round++) {
      for (const input of inputs) before.digest(input);
      const file = path.join(root, ["a", "b", "c"][random(3)]!, ["x", "y", "d"][random(3)]!);
      const removed = random(5) === 0 ? path.dirname(file) : file;
      const isRemoved = removed !== file || random(3) === 0;
      if (isRemoved) rmSync(removed, { recursive: true, force: true });
      else {
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, String(random(10)));
      }
      const now = scanner.scan(random(2) === 0 ? undefined : new Set([path.dirname(file), isRemoved ? removed : file]));
      now.takeOver(before);
      for (const input of inputs) {
        const fresh = new ProjectScanner([input], new ContentHasher()).scan();
        expect(now.digest(input), `seed ${seed} round ${round} ${input.path}`).toBe(fresh.digest(input));
      }
      expect(now.saw(scanner.scan())).toBe(true);
      before = now;
    }
  }
});

test("what git's configuration names as excludes is known as soon as it names it", () => {
  const root = makeTree({ "a.ts": "1", "b.tmp": "1" });
  const home = makeTree({ ".gitconfig": "", one: "*.ts\n", two: "*.tmp\n" });
  vi.stubEnv("HOME", home);
  vi.stubEnv("XDG_CONFIG_HOME", "");
  execFileSync("git", ["init", "-q"], { cwd: root });
  const input: ScannedInput = { kind: "directory", path: root, filter: { include: ["*.t*"], leaveOut: "ignored" } };
  const scanner = new ProjectScanner([input], new ContentHasher());
  const names = (changed?: string): string[] => [
    ...scanner
      .scan(changed === undefined ? undefined : new Set([path.join(home, changed)]))
      .manifest(input)
      .keys(),
  ];
  const config = path.join(home, ".gitconfig");
  expect(names()).toEqual(["a.ts", "b.tmp"]);
  expect(scanner.concerns(config)).toBe(true);
  for (const [file, left] of [
    ["one", ["b.tmp"]],
    ["two", ["a.ts"]],
  ] as const) {
    writeFileSync(config, `[core]\n  excludesFile = ~/${file}\n`);
    expect(names(".gitconfig"), file).toEqual(left);
    expect(scanner.concerns(path.join(home, file))).toBe(true);
    writeFileSync(path.join(home, file), "");
    expect(names(file)).toEqual(["a.ts", "b.tmp"]);
  }
  vi.unstubAllEnvs();
});

test("a file that is given by a link is what the link leads to, wherever that leads by now", async () => {
  const root = makeTree({ "real/one": "one", "real/two": "two" });
  const link = path.join(root, "link");
  const input: ScannedInput = { kind: "file", path: link, filter: {} };
  const scanner = new ProjectScanner([input], new ContentHasher());
  const still = (): Promise<boolean | undefined> => scanner.isStill(before, new AbortController().signal);
  symlinkSync("real/one", link);
  let before = scanner.scan();
  const digests = new Set([before.digest(input)]);
  const edits: [string, () => void][] = [
    ["real/one", () => writeFileSync(path.join(root, "real/one"), "edited")],
    ["link", () => (rmSync(link), symlinkSync("real/two", link))],
    ["real/two", () => writeFileSync(path.join(root, "real/two"), "edited too")],
    ["link", () => (rmSync(link), writeFileSync(link, "a file"))],
  ];
  for (const [index, [changed, edit]] of edits.entries()) {
    edit();
    expect(scanner.concerns(path.join(root, changed)), changed).toBe(true);
    expect(await still(), changed).toBe(false);
    before = scanner.scan(new Set([path.join(root, changed)]));
    expect(before.folders().map((folder) => folder.path)).toContain(root);
    digests.add(before.digest(input));
    expect(digests.size).toBe(index + 2);
  }
  expect(await still()).toBe(true);
});

test("a look in slices says whether all is as it was, and ends when it is told to", async () => {
  const root = makeTree({ "a/x": "1", "b/y": "1" });
  const scanner = new ProjectScanner(inputsOf(root), new ContentHasher());
  const before = scanner.scan();
  const { signal } = new AbortController();
  expect(await scanner.isStill(before, signal)).toBe(true);
  writeFileSync(path.join(root, "a/x"), "2");
  expect(await scanner.isStill(before, signal)).toBe(false);
  expect(await scanner.isStill(scanner.scan(), signal)).toBe(true);
  rmSync(root, { recursive: true });
  expect(await scanner.isStill(before, signal)).toBe(false);
  const many = makeTree(Object.fromEntries(Array.from({ length: 3000 }, (_none, index) => [`d${index}/f`, "1"])));
  const large = new ProjectScanner([{ kind: "directory", path: many, filter: {} }], new ContentHasher());
  const aborter = new AbortController();
  const answer = large.isStill(large.scan(), aborter.signal);
  aborter.abort();
  expect(await answer).toBe(undefined);
});

test("of inputs in which nothing moved no file is asked for again", () => {
  const root = makeTree({ "a/x": "1", "a/y": "1", "b/x": "1", "c/d": "1" });
  const inputs = inputsOf(root).slice(1);
  const hasher = new ContentHasher({ nowNs: later });
  const scanner = new ProjectScanner(inputs, hasher);
  const before = scanner.scan();
  for (const input of inputs) before.digest(input);
  writeFileSync(path.join(root, "b/x"), "2");
  const now = scanner.scan();
  now.takeOver(before);
  const asked: string[] = [];
  const hash = hasher.hash.bind(hasher);
  hasher.hash = (at, entry) => {
    asked.push(entry.path);
    return hash(at, entry);
  };
  for (const input of inputs) now.digest(input);
  expect(asked).toEqual(["x"]);
  expect(now.saw(before)).toBe(false);
});

test("a file that could have been written again unseen is read again, though nothing of it moved", () => {
  const root = makeTree({ "a/x": "1", "b/x": "1" });
  const [, , input] = inputsOf(root);
  const hasher = new ContentHasher({ nowNs: () => 0n });
  const scanner = new ProjectScanner([input!], hasher);
  const before = scanner.scan();
  before.digest(input!);
  const now = scanner.scan();
  now.takeOver(before);
  now.digest(input!);
  expect(hasher.work.files).toBe(2);
});

test("two looks saw the same unless a write moved something; a root that comes or goes is seen too", () => {
  const root = makeTree({ "a/x": "1", "b/x": "1" });
  const scanner = new ProjectScanner(inputsOf(root).slice(1), new ContentHasher());
  const before = scanner.scan();
  expect(scanner.scan().saw(before)).toBe(true);
  const content = readFileSync(path.join(root, "a/x"));
  writeFileSync(path.join(root, "a/x"), content);
  const touched = scanner.scan();
  expect(touched.saw(before)).toBe(false);
  appendFileSync(path.join(root, "b/y"), "");
  const added = scanner.scan();
  expect(added.saw(touched)).toBe(false);
  rmSync(path.join(root, "b"), { recursive: true });
  const removed = scanner.scan();
  expect(removed.saw(added)).toBe(false);
  expect(scanner.scan().saw(removed)).toBe(true);
});

test("an edit of dagger.lock is one of what the module is read from", async () => {
  const root = makeTree({
    "dagger.json": `{"name": "none", "engineVersion": "v0.21.4", "toolchains": [{"name": "snake", "source": "snake"}]}`,
    "dagger.lock": "",
    // Refused, so that nothing has to be scanned.
    "snake/dagger.json": `{"name": "snake", "sdk": {"source": "python"}}`,
  });
  const digests = async (): Promise<(string | undefined)[]> => {
    const sources = moduleSources(await loadModule(root));
    const snapshot = new ProjectScanner(sources, new ContentHasher({ nowNs: later })).scan();
    return sources.map((source) => snapshot.digest(source));
  };
  const before = await digests();
  expect(await digests()).toEqual(before);
  writeFileSync(path.join(root, "dagger.lock"), `["", "git.ref", ["https://host/a", "HEAD"], {"sha": "0"}]\n`);
  expect(await digests()).not.toEqual(before);
});
