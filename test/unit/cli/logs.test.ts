/** `fastloop logs` of services that do not run. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ExitCode } from "../../../src/errors/index.ts";
import { UpPlace } from "../../../src/services/index.ts";
import { makeTree } from "../tree/fixture.ts";
import { startFastloop } from "./fastloop.ts";

test("logs -f goes on until it is interrupted, which is no bug", async () => {
  const root = makeTree({ "fastloop.yaml": "version: 1\n" });
  const env = { XDG_STATE_HOME: makeTree() };
  const file = new UpPlace(root, { ...process.env, ...env }).logFile("api");
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "2026-11-30T10:00:00.000Z one\n");
  const running = startFastloop(["logs", "-f"], {
    cwd: root,
    env,
    onOutput(_stream, text) {
      if (text.includes("one")) appendFileSync(file, "2026-11-30T10:00:01.000Z two\n");
      if (text.includes("two")) running.interrupt("interrupted by SIGINT");
    },
  });
  expect(await running.ended).toEqual({
    exitCode: ExitCode.interrupted,
    stdout: "api | one\napi | two\n",
    stderr: "",
  });
});
