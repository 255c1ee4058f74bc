import { execFileSync, spawn } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { secretText, type GivenValue } from "../../../src/call/index.ts";
import type { ArgumentInfo } from "../../../src/module/index.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-pipe-"));
  execFileSync("mkfifo", [path.join(folder, "pipe")]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Secret = Extract<GivenValue, { kind: "secret" }>;
const secretAt = (rest: string): Secret => ({ kind: "secret", scheme: "file", rest, uri: `file://${rest}` });
const argument = { name: "apiToken", optional: false, type: { kind: "object", name: "Secret" } } as ArgumentInfo;
const read = (secret: Secret, isTyped: boolean, signal?: AbortSignal): Promise<string> =>
  secretText(secret, argument, { env: {}, cwd: folder, isTyped }, signal);
const write = (command: string): unknown => spawn("sh", ["-c", `${command} > pipe`], { cwd: folder, stdio: "ignore" });

test("a secret that the user types may come out of a named pipe, once for the whole call", async () => {
  const secret = secretAt("pipe");
  write("printf 'a token'");
  expect(await read(secret, true)).toBe("a token");
  expect(await read(secret, true)).toBe("a token");
});

test("and out of a pipe that the shell opened", async () => {
  const descriptor = openSync(path.join(folder, "pipe"), constants.O_RDONLY | constants.O_NONBLOCK);
  execFileSync("sh", ["-c", "printf 'a token' > pipe"], { cwd: folder });
  expect(await read(secretAt(`/dev/fd/${descriptor}`), true)).toBe("a token");
  closeSync(descriptor);
});

test("one that a repository names may not, and the error says why", async () => {
  const refused = "the secret's file pipe cannot be read: it is no file";
  await expect(read(secretAt("pipe"), false)).rejects.toThrow(refused);
});

test("a device and a pipe without an end are refused, and a pipe that nobody writes to can be given up", async () => {
  await expect(read(secretAt("/dev/zero"), true)).rejects.toThrow("/dev/zero cannot be read: it is no file");
  write("yes");
  await expect(read(secretAt("pipe"), true)).rejects.toThrow(/ cannot be read: more than \d+ bytes come out of it$/);
  const abort = new AbortController();
  const waiting = read(secretAt("pipe"), true, abort.signal);
  abort.abort(new Error("given up"));
  await expect(waiting).rejects.toThrow("given up");
});
