import { mkdtempSync, renameSync, rmSync, writeFileSync, appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LogFile, LogReader } from "../../../src/services/unit/log-file.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fastloop-log-"));
  file = path.join(folder, "api.log");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a reader gets each line once, whole, also those around a rotation", () => {
  writeFileSync(`${file}.1`, "older\n");
  writeFileSync(file, "one\ntw");
  const reader = new LogReader(file);
  expect(reader.older()).toEqual(["older"]);
  expect(reader.read()).toEqual(["one"]);
  expect(reader.read()).toEqual([]);
  appendFileSync(file, "o\nthree\n");
  renameSync(file, `${file}.1`);
  writeFileSync(file, "four\n");
  expect(reader.read()).toEqual(["two", "three", "four"]);
  appendFileSync(file, "five\n");
  expect(reader.read()).toEqual(["five"]);
  reader.close();
});

test("a rotation between opening and reading repeats nothing", () => {
  writeFileSync(file, "one\n");
  const reader = new LogReader(file);
  renameSync(file, `${file}.1`);
  writeFileSync(file, "two\n");
  expect([...reader.older(), ...reader.read()]).toEqual(["one", "two"]);
  reader.close();
});

test("a reader follows a writer that rotates", () => {
  const writer = new LogFile(file);
  writer.write("begin");
  const reader = new LogReader(file);
  const lines = reader.read();
  const long = "x".repeat(1_000_000);
  for (let index = 0; index < 12; index++) {
    writer.write(`${index} ${long}`);
    lines.push(...reader.read());
  }
  expect(lines.map((line) => line.split(" ")[1])).toEqual(["begin", ...Array.from({ length: 12 }, (_, n) => `${n}`)]);
  writer.close();
  reader.close();
});
