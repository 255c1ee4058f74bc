import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, expect, it } from "vitest";
import { takeStateKey, userKey } from "../../../src/state/user-key.ts";

let base: string;
const notices: string[] = [];
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), "fastloop-key-"));
  notices.length = 0;
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

let count = 0;

/** The key that a new process would get: each is asked by another way to the same folder. */
function keyOf(home = base): string {
  const link = path.join(tmpdir(), `fastloop-key-link-${process.pid}-${count++}`);
  symlinkSync(home, link);
  try {
    return Buffer.from(userKey((text) => notices.push(text), { XDG_STATE_HOME: link }).bytes).toString("hex");
  } finally {
    rmSync(link);
  }
}

const file = (): string => path.join(base, "fastloop/state-key");

it("is made once, for this user alone, and stays", () => {
  const key = keyOf();
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(keyOf()).toBe(key);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(readdirSync(path.dirname(file()))).toEqual(["state-key"]);
  expect(readFileSync(file(), "utf8")).toContain(key);
  expect(notices).toEqual([]);
});

it.each<[string, () => void, string]>([
  ["cut", () => truncateSync(file(), 60), "is damaged"],
  ["empty", () => truncateSync(file(), 0), "is damaged"],
  ["of zeros", () => writeFileSync(file(), Buffer.alloc(200)), "is damaged"],
  [
    "another one by hand",
    () => writeFileSync(file(), readFileSync(file(), "utf8").replace(/[0-9a-f]{64}/, "0".repeat(64))),
    "is damaged",
  ],
  ["readable by others", () => chmodSync(file(), 0o644), "could be read by other users"],
  ["writable by others", () => chmodSync(file(), 0o602), "could be read by other users"],
  [
    "a link",
    () => {
      const elsewhere = path.join(base, "elsewhere");
      writeFileSync(elsewhere, readFileSync(file()), { mode: 0o600 });
      rmSync(file());
      symlinkSync(elsewhere, file());
    },
    "is not a file",
  ],
  [
    "an empty folder",
    () => {
      rmSync(file());
      mkdirSync(file());
    },
    "is not a file",
  ],
])("that is %s is not used: there is a new one, and a notice", (_what, damage, says) => {
  const before = keyOf();
  damage();
  const after = keyOf();
  expect(after).not.toBe(before);
  expect(notices).toEqual([expect.stringContaining(says)]);
  expect(keyOf()).toBe(after);
  expect(notices).toHaveLength(1);
});

it("that cannot be kept holds for this process, which is told", () => {
  writeFileSync(path.join(base, "fastloop"), "in the way");
  expect(keyOf()).toMatch(/^[0-9a-f]{64}$/);
  expect(notices).toEqual([expect.stringContaining("for this process only")]);
  rmSync(path.join(base, "fastloop"));
  mkdirSync(path.join(base, "fastloop/state-key/with"), { recursive: true });
  notices.length = 0;
  expect(keyOf()).toMatch(/^[0-9a-f]{64}$/);
  expect(notices.at(-1)).toContain("for this process only");
  expect(existsSync(path.join(base, "fastloop/state-key/with"))).toBe(true);
});

it("a shared one is taken out of the environment, and has to be long", () => {
  const env = { FASTLOOP_STATE_KEY: "short" };
  expect(() => takeStateKey(env)).toThrow(
    expect.objectContaining({ place: "FASTLOOP_STATE_KEY", hint: expect.stringContaining("openssl") }),
  );
  expect(env).toEqual({});
});
