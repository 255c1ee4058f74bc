import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RunLog } from "../../../src/run/records/run-log.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-log-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function logOf(write: (log: RunLog) => void): string {
  const file = path.join(folder, "log");
  const log = new RunLog(
    file,
    () => openSync(file, "w"),
    () => undefined,
  );
  log.open();
  write(log);
  log.close();
  return readFileSync(file, "utf8");
}

test("an error repeats no line that the command has printed, coloured or not", () => {
  const text = logOf((log) => {
    log.write("one\ntw");
    log.write("o\n\u001b[31mthree\u001b[0m\nlast");
    log.writeError("npm test failed with exit code 1\none\ntwo\n\u001b[31mthree\u001b[0m\n  last\nunheard\nhint: look");
  });
  expect(text).toBe(
    "one\ntwo\n\u001b[31mthree\u001b[0m\nlast\nnpm test failed with exit code 1\nunheard\nhint: look\n",
  );
});

test("of what an engine did not tell, the error has all", () => {
  expect(logOf((log) => log.writeError("failed\nline\nline"))).toBe("failed\nline\nline\n");
});
