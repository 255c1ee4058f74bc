import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { Terminals } from "../../../src/core-api/terminal/terminals.ts";
import { encodeFrame, FrameReader, type Frame } from "../../../src/core-api/terminal/frames.ts";

const never = new AbortController().signal;

it("frames come out of a stream whole, however it was cut", () => {
  const frames: Frame[] = [
    { kind: "size", rows: 24, columns: 80 },
    { kind: "data", data: Buffer.from("ls\r") },
    { kind: "data", data: Buffer.alloc(0) },
    { kind: "exit", exitCode: 3 },
  ];
  const bytes = Buffer.concat(frames.map(encodeFrame));
  for (const step of [1, 2, 7, bytes.length]) {
    const reader = new FrameReader();
    const read: Frame[] = [];
    for (let at = 0; at < bytes.length; at += step) read.push(...reader.push(bytes.subarray(at, at + step)));
    expect(read).toEqual(frames);
  }
});

it("gives the terminal to one program at a time, and to the next one whatever became of the first", async () => {
  const offers: string[] = [];
  const ids: string[] = [];
  const terminals = new Terminals((id, name) => void (offers.push(name), ids.push(id)));
  let fail: ((error: Error) => void) | undefined;
  const first = terminals.use("first", never, () => new Promise((_resolve, reject) => (fail = reject)));
  const second = terminals.use("second", never, () => Promise.resolve("done"));
  await expect.poll(() => offers).toEqual(["first"]);
  const line = new PassThrough();
  expect(terminals.connect(ids[0]!, line)).toBe(true);
  expect(terminals.connect(ids[0]!, line)).toBe(false);
  await expect.poll(() => fail).toBeDefined();
  expect(offers).toEqual(["first"]);
  fail?.(new Error("it broke"));
  await expect(first).rejects.toThrow("it broke");
  expect(line.writableEnded).toBe(true);
  await expect.poll(() => offers).toEqual(["first", "second"]);
  terminals.connect(ids[1]!, new PassThrough());
  await expect(second).resolves.toBe("done");
});

it("waits no longer for a terminal when the call is given up", async () => {
  const ids: string[] = [];
  const terminals = new Terminals((id) => void ids.push(id));
  const call = new AbortController();
  const using = terminals.use("sh", call.signal, () => Promise.resolve());
  await expect.poll(() => ids.length).toBe(1);
  call.abort();
  await expect(using).rejects.toThrow("canceled");
  expect(terminals.connect(ids[0]!, new PassThrough())).toBe(false);
});

it("says what to do where there is no terminal", () => {
  expect(() => new Terminals(undefined).require()).toThrow("no terminal is attached: run `fastloop call` in one");
});
