import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { showInBrowser } from "../../../src/page/browser.ts";

const url = "http://127.0.0.1:1234/#token=secret";
let folder: string;
let env: NodeJS.ProcessEnv;
// Not in /tmp, where everybody may write: a program there is not started.
beforeEach(() => {
  folder = mkdtempSync(path.join(homedir(), ".fastloop-page-test-"));
  writeFileSync(
    path.join(folder, "xdg-open"),
    `#!/bin/sh\nprintf '%s\\n' "$@" > "${folder}/words.part"\nmv "${folder}/words.part" "${folder}/words"\n`,
  );
  chmodSync(path.join(folder, "xdg-open"), 0o755);
  env = { PATH: `${folder}:/usr/bin:/bin`, DISPLAY: ":0", XDG_STATE_HOME: path.join(folder, "state") };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function openedWith(): Promise<string[]> {
  const file = path.join(folder, "words");
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 10));
  return readFileSync(file, "utf8").trim().split("\n");
}

test.runIf(process.platform === "linux")("the browser is given a file of this user alone, and no address", async () => {
  const takeBack = showInBrowser(url, env);
  const [file, ...more] = await openedWith();
  expect(more).toEqual([]);
  expect(file).not.toContain("token");
  expect(readFileSync(file!, "utf8")).toContain(`url=${url}`);
  expect(statSync(file!).mode & 0o077).toBe(0);
  expect(statSync(path.dirname(file!)).mode & 0o077).toBe(0);
  takeBack();
  expect(existsSync(file!)).toBe(false);
});

test("nothing is left behind or started over SSH, in CI, and where there is no screen or no program", () => {
  const { DISPLAY: _, ...noScreen } = env;
  const elsewhere: NodeJS.ProcessEnv[] = [
    { ...env, CI: "true" },
    { ...env, SSH_CONNECTION: "1 2 3 4" },
    { ...env, PATH: tmpdir() },
    ...(process.platform === "linux" ? [noScreen] : []),
  ];
  for (const each of elsewhere) showInBrowser(url, each)();
  expect(existsSync(path.join(folder, "state"))).toBe(false);
  expect(existsSync(path.join(folder, "words"))).toBe(false);
});
