import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Chunks } from "../../../../src/cli/start/chunks.ts";
import { CodeStore, codeStoreOf } from "../../../../src/cli/start/code-store.ts";

let folder: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-chunks-"));
  state = path.join(folder, "state");
  write(
    "start.cjs",
    `exports.answer = () => require("./other.cjs").double(21); exports.other = require("./other.cjs");`,
  );
  write(
    "other.cjs",
    `exports.double = (value) => require("node:path").posix.join(String(value * 2)); exports.made = {};`,
  );
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text);
const file = (): string => path.join(state, "build");
const open = (): { chunks: Chunks; start: { answer(): string; other: unknown } } => {
  const chunks = new Chunks(folder, new CodeStore(state, "build"));
  return { chunks, start: chunks.load("start.cjs") as { answer(): string; other: unknown } };
};
const runOnce = (): void => {
  const { chunks, start } = open();
  expect(start.answer()).toBe("42");
  chunks.save();
};
const isTaken = (): boolean => {
  const store = new CodeStore(state, "build");
  return store.codeOf("start.cjs") !== undefined && store.codeOf("other.cjs") !== undefined;
};

test("a chunk runs once, whoever asks for it", () => {
  const { chunks, start } = open();
  expect(start.other).toBe(chunks.load("other.cjs"));
});

test("what is in a circle sees what has been exported so far", () => {
  write("a.cjs", `exports.early = 1; exports.seen = require("./b.cjs").seen;`);
  write("b.cjs", `exports.seen = require("./a.cjs").early;`);
  expect(new Chunks(folder, undefined).load("a.cjs")).toEqual({ early: 1, seen: 1 });
});

test("chunks import ES modules of others", async () => {
  write("later.cjs", `exports.load = (id) => __import(id);`);
  const { load } = new Chunks(folder, undefined).load("later.cjs") as {
    load(id: string): Promise<{ default: number }>;
  };
  expect((await load("data:text/javascript,export default 5")).default).toBe(5);
});

test("code is kept for the user alone, and taken by the next process", () => {
  expect(isTaken()).toBe(false);
  runOnce();
  expect(isTaken()).toBe(true);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(statSync(state).mode & 0o777).toBe(0o700);
  runOnce();
});

test("after three processes that used the same chunks nothing is written any more, until one uses another", () => {
  for (let round = 0; round < 3; round++) runOnce();
  const { ino } = statSync(file());
  runOnce();
  expect(statSync(file()).ino).toBe(ino);
  write("third.cjs", `exports.x = 1;`);
  const { chunks } = open();
  chunks.load("third.cjs");
  chunks.save();
  expect(new CodeStore(state, "build").codeOf("third.cjs")).toBeDefined();
  expect(isTaken()).toBe(true);
});

test("code of another text is not run", () => {
  runOnce();
  write("start.cjs", `exports.answer = () => "another";`);
  expect(open().start.answer()).toBe("another");
});

test("a file with a changed byte, a cut one and one that is none is as good as none", () => {
  runOnce();
  const whole = readFileSync(file());
  const changed = Buffer.from(whole);
  changed[changed.length - 10]! ^= 0xff;
  for (const content of [changed, whole.subarray(0, -1), Buffer.from("fastloop-code 1\n{}\n"), Buffer.from("x")]) {
    writeFileSync(file(), content);
    expect(isTaken()).toBe(false);
    expect(open().start.answer()).toBe("42");
  }
  runOnce();
  expect(isTaken()).toBe(true);
});

test("a file that others may write, and a link to one, is not taken", () => {
  runOnce();
  chmodSync(file(), 0o620);
  expect(isTaken()).toBe(false);
  chmodSync(file(), 0o600);
  symlinkSync(file(), path.join(state, "link"));
  expect(new CodeStore(state, "link").codeOf("start.cjs")).toBeUndefined();
});

test("where nothing can be written the command goes on, and leaves nothing", () => {
  writeFileSync(state, "a file in the place of the folder");
  runOnce();
  mkdirSync(path.join(folder, "locked", "build"), { recursive: true });
  const chunks = new Chunks(folder, new CodeStore(path.join(folder, "locked"), "build"));
  chunks.load("start.cjs");
  chunks.save();
  expect(readdirSync(path.join(folder, "locked"))).toEqual(["build"]);
});

test("no code is kept where Node is told so", () => {
  process.env.NODE_DISABLE_COMPILE_CACHE = "1";
  try {
    expect(codeStoreOf("build")).toBeUndefined();
  } finally {
    delete process.env.NODE_DISABLE_COMPILE_CACHE;
  }
  expect(codeStoreOf("build")).toBeDefined();
});
