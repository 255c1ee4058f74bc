import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { parseFromRuntime } from "../../../src/module/runtime-process/runtime-messages.ts";
import { readLines } from "../../../src/module/runtime-process/line-channel.ts";
import { checkReturned, UnexpectedValue } from "../../../src/module/runtime-process/returned-value.ts";
import type { ModuleInfo, TypeRef } from "../../../src/module/index.ts";

const error = { message: "m", name: "n", frames: [] };

describe("a message of the function runtime", () => {
  it.each([
    { kind: "ready" },
    { kind: "broken", error },
    { kind: "result", id: 1, value: { any: "thing" } },
    { kind: "error", id: 1, error: { ...error, exec: { command: ["a"], exitCode: 1, stdout: "", stderr: "" } } },
    { kind: "log", stream: "stdout", text: "t", callId: "c" },
  ])("is understood: $kind", (message) => {
    expect(parseFromRuntime(JSON.parse(JSON.stringify(message)))).toEqual(message);
  });

  it.each([
    ["nothing", null],
    ["a text", "ready"],
    ["a list", [{ kind: "ready" }]],
    ["no kind", {}],
    ["a kind of Node's own channel", { cmd: "NODE_HANDLE", type: "net.Native" }],
    ["a kind that objects have by birth", { kind: "__proto__" }],
    ["a result of no call", { kind: "result", value: 1 }],
    ["an id that is no number", { kind: "result", id: "1", value: 1 }],
    ["an id that is no integer", { kind: "result", id: 1.5, value: 1 }],
    ["an error without its parts", { kind: "error", id: 1, error: {} }],
    ["an error that is none", { kind: "error", id: 1 }],
    ["frames that are none", { kind: "error", id: 1, error: { ...error, frames: "at x" } }],
    ["frames of objects", { kind: "error", id: 1, error: { ...error, frames: [{}] } }],
    [
      "a command that is none",
      { kind: "error", id: 1, error: { ...error, exec: { command: "rm", exitCode: 1, stdout: "", stderr: "" } } },
    ],
    [
      "an exit code that is none",
      { kind: "error", id: 1, error: { ...error, exec: { command: [], exitCode: "1", stdout: "", stderr: "" } } },
    ],
    ["a broken module without why", { kind: "broken" }],
    ["a log without text", { kind: "log", stream: "stdout" }],
    ["a log of objects", { kind: "log", stream: "stdout", text: { length: 1 } }],
    ["a log of another stream", { kind: "log", stream: "stdin", text: "t" }],
    ["a log of a call that is none", { kind: "log", stream: "stdout", text: "t", callId: 7 }],
  ])("is none: %s", (_what, message) => {
    expect(parseFromRuntime(message)).toBeUndefined();
  });

  it("is cut where it is longer than anybody reads", () => {
    const long = "x".repeat(3_000_000);
    const parsed = parseFromRuntime({
      kind: "error",
      id: 1,
      error: { ...error, message: long, frames: Array.from({ length: 1000 }, () => "f") },
    });
    expect(JSON.stringify(parsed).length).toBeLessThan(1_100_000);
  });
});

describe("the channel to the function runtime", () => {
  const read = (pieces: readonly string[], maxBytes?: number): unknown[] => {
    const [stream, told] = [new PassThrough(), [] as unknown[]];
    readLines(
      stream,
      (message) => told.push(message),
      (why) => told.push(`broken: ${why}`),
      maxBytes,
    );
    for (const piece of pieces) stream.emit("data", Buffer.from(piece));
    return told;
  };

  it("puts lines together from pieces, and splits pieces into lines", () => {
    expect(read(['{"a"', ":1}", '\n{"b":2}\n3\n', "4"])).toEqual([{ a: 1 }, { b: 2 }, 3]);
  });

  it("tells once of what is no JSON, and reads no further", () => {
    expect(read(["1\nnot json\n2\n", "nor this\n"])).toEqual([1, "broken: a line that is no JSON"]);
  });

  it("does not keep a message that never ends", () => {
    expect(read(["xxxx", "xxxxx", "xxx", "\n1\n"], 8)).toEqual(["broken: a message of more than 8 bytes"]);
  });
});

describe("what a function returned", () => {
  const module = {
    interfaces: { Shape: {} },
    objects: {
      Own: {
        name: "Own",
        kind: "class",
        functions: {},
        fields: {
          name: { name: "name", type: { kind: "string" } },
          box: { name: "box", alias: "theBox", type: { kind: "object", name: "Own" } },
        },
      },
    },
  } as unknown as ModuleInfo;
  const container: TypeRef = { kind: "object", name: "Container" };
  const own: TypeRef = { kind: "object", name: "Own" };
  const text: TypeRef = { kind: "string" };

  it("goes on where it has the declared shape", () => {
    expect(checkReturned({ $id: "i", $type: "Container" }, container, module)).toEqual({
      $id: "i",
      $type: "Container",
    });
    const nested = { $object: "Own", fields: { name: "a", theBox: { $object: "Own", fields: { name: null } } } };
    expect(checkReturned(nested, own, module)).toEqual(nested);
    expect(checkReturned([["a"], null], { kind: "list", of: { kind: "list", of: text } }, module)).toEqual([
      ["a"],
      null,
    ]);
    expect(checkReturned({ $id: "i", $type: "Container" }, { kind: "interface", name: "Named" }, module)).toEqual({
      $id: "i",
      $type: "Container",
    });
    expect(checkReturned(nested, { kind: "object", name: "Shape" }, module)).toEqual(nested);
    expect(checkReturned({ anything: 1 }, { kind: "void" }, module)).toBeNull();
  });

  it.each<[string, unknown, TypeRef]>([
    [
      "a type that goes on as a query of its own",
      { $id: "i", $type: 'Container { id } } secret(uri: "cmd://id") { plaintext } x: node(id: "") { ... on Host' },
      container,
    ],
    [
      "the same where an interface is declared",
      { $id: "i", $type: "Container { id } } version }" },
      { kind: "interface", name: "Named" },
    ],
    ["an object of the core API that is not declared", { $id: "Host@sha256:0", $type: "Host" }, container],
    ["an object of the core API where a text is declared", { $id: "Host@sha256:0", $type: "Host" }, text],
    ["one in a list", [{ $id: "Host@sha256:0", $type: "Host" }], { kind: "list", of: text }],
    ["one in a field", { $object: "Own", fields: { name: { $id: "i", $type: "Host" } } }, own],
    ["both at once", { $id: "i", $type: "Container", $object: "Own", fields: {} }, container],
    ["an id that is none", { $id: { toString: 1 }, $type: "Container" }, container],
    ["an own object where one of the core API is declared", { $object: "Own", fields: {} }, container],
    ["a class that the module does not have", { $object: "constructor", fields: {} }, own],
    ["the prototype as a class", JSON.parse('{"$object":"__proto__","fields":{}}'), own],
    ["a field that the class does not have", JSON.parse('{"$object":"Own","fields":{"__proto__":1}}'), own],
    ["fields that are none", { $object: "Own", fields: [] }, own],
    ["nothing of these", {}, container],
    ["lists without an end", JSON.parse("[".repeat(5000) + "]".repeat(5000)), text],
  ])("does not go on: %s", (_what, value, type) => {
    expect(() => checkReturned(value, type, module)).toThrow(UnexpectedValue);
  });
});
