/** What a function body may say, against ten thousand inputs each: lines, messages, and values that claim a type. */
import { PassThrough } from "node:stream";
import {
  anything,
  array,
  asyncProperty,
  constantFrom,
  jsonValue,
  nat,
  oneof,
  property,
  string,
  tuple,
  uint8Array,
} from "fast-check";
import { describe, expect, it } from "vitest";
import { parseFromRuntime } from "../../../src/module/runtime-process/runtime-messages.ts";
import { readLines } from "../../../src/module/runtime-process/line-channel.ts";
import { checkReturned, UnexpectedValue } from "../../../src/module/runtime-process/returned-value.ts";
import type { ModuleInfo, TypeRef } from "../../../src/module/index.ts";
import { fuzz, fuzzTimeoutMs, inTime } from "../fuzz.ts";

const error = {
  message: "m",
  name: "n",
  frames: ["f"],
  place: "p",
  exec: { command: ["c"], exitCode: 1, stdout: "", stderr: "" },
};
const valid = [
  { kind: "ready" },
  { kind: "broken", error },
  { kind: "result", id: 1, value: { $id: "i", $type: "Container" } },
  { kind: "error", id: 1, error },
  { kind: "log", stream: "stdout", text: "t", callId: "c" },
];
const names = [
  "kind",
  "id",
  "error",
  "value",
  "text",
  "stream",
  "callId",
  "exec",
  "frames",
  "command",
  "__proto__",
  "constructor",
  "toJSON",
];
/** A message with one of its fields, at any depth, put to something else. */
const damaged = tuple(constantFrom(...valid), constantFrom(...names), jsonValue()).map(
  ([message, name, value]) =>
    JSON.parse(JSON.stringify(message), (key, old: unknown) => (key === name ? value : old)) as unknown,
);
const added = tuple(constantFrom(...valid), constantFrom(...names), jsonValue()).map(
  ([message, name, value]) =>
    JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)},${JSON.stringify(message).slice(1)}`) as unknown,
);
const messages = oneof(damaged, added, jsonValue() as never, anything() as never);

const text: TypeRef = { kind: "string" };
const module = {
  objects: {
    Ci: {
      name: "Ci",
      fields: { a: { name: "a", type: text }, b: { name: "b", type: { kind: "object", name: "Directory" } } },
      functions: {},
    },
  },
  interfaces: { Shape: { name: "Shape", functions: {} } },
} as unknown as ModuleInfo;
const types: TypeRef[] = [
  text,
  { kind: "void" },
  { kind: "object", name: "Ci" },
  { kind: "object", name: "Container" },
  { kind: "interface", name: "Shape" },
  { kind: "list", of: { kind: "object", name: "Ci" } },
] as TypeRef[];

describe(
  "ten thousand inputs each",
  () => {
    it("a message is one of ours, with texts where texts belong, or none", async () => {
      for (const message of valid) expect(parseFromRuntime(message)).toEqual(message);
      await fuzz(
        property(messages, (message) => {
          const parsed = inTime(() => parseFromRuntime(message));
          if (parsed === undefined) return;
          expect(["ready", "broken", "result", "error", "log"]).toContain(parsed.kind);
          if ("id" in parsed) expect(Number.isSafeInteger(parsed.id)).toBe(true);
          if (parsed.kind === "log")
            expect([typeof parsed.text, typeof (parsed.callId ?? "")]).toEqual(["string", "string"]);
          if ("error" in parsed) {
            const { message: told, frames, exec } = parsed.error;
            expect(
              [told, ...frames, ...(exec?.command ?? []), exec?.stdout ?? ""].every((each) => typeof each === "string"),
            ).toBe(true);
          }
        }),
      );
    });

    it("lines are messages, or the end of the channel, however they are cut", async () => {
      const line = oneof(
        messages.map((message) => Buffer.from(`${JSON.stringify(message) ?? ""}\n`)),
        uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        string().map((each) => Buffer.from(each)),
      );
      await fuzz(
        asyncProperty(array(line, { maxLength: 4 }), nat(16), async (lines, cut) => {
          const stream = new PassThrough();
          let read = 0;
          let broken = 0;
          readLines(
            stream,
            () => void read++,
            () => void broken++,
            200,
          );
          const bytes = Buffer.concat(lines);
          for (let at = 0; at < bytes.length; at += cut + 1) stream.write(bytes.subarray(at, at + cut + 1));
          stream.end();
          await new Promise((resolve) => stream.once("close", resolve).resume());
          expect(broken).toBeLessThanOrEqual(1);
          expect(read).toBeLessThanOrEqual(bytes.filter((byte) => byte === 0x0a).length);
        }),
      );
    });

    it("a returned value is of its declared type, or refused", async () => {
      const claimed = tuple(constantFrom("Ci", "Container", "Directory", "__proto__", "x } evil { y"), jsonValue()).map(
        ([name, value]) =>
          JSON.parse(
            `{"$object":${JSON.stringify(name)},"fields":{"a":${JSON.stringify(value)},"__proto__":1}}`,
          ) as unknown,
      );
      const object = tuple(constantFrom("Ci", "Container", "x(", "Shape"), oneof(string(), jsonValue())).map(
        ([$type, $id]) => ({ $type, $id }),
      );
      await fuzz(
        property(oneof(claimed, object, jsonValue() as never), constantFrom(...types), (value, type) => {
          try {
            const checked = inTime(() => checkReturned(value, type, module));
            const told = JSON.stringify(checked);
            // What goes on into a query as a type is a name.
            for (const [, name] of told.matchAll(/"\$type":"((?:[^"\\]|\\.)*)"/g))
              if (typeof checked === "object") expect(name).toMatch(/^[_A-Za-z]\w*$/);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(UnexpectedValue);
          }
        }),
      );
    });
  },
  fuzzTimeoutMs,
);
