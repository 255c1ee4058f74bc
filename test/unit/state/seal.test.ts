import { assert, nat, pre, property, uint8Array } from "fast-check";
import { expect, it } from "vitest";
import { seal, unseal } from "../../../src/state/seal.ts";

const key = Buffer.alloc(32, 1);
const sealed = (name: string, text: string, by: Uint8Array = key): Buffer =>
  Buffer.concat(seal(by, name, [Buffer.from(text)]));
const opened = (name: string, content: Buffer, by: Uint8Array = key): string | undefined =>
  unseal(by, name, Buffer.from(content))?.toString();

it("what was sealed comes back; JSON is still JSON, with the code as its last field", () => {
  expect(opened("runs/a.json", sealed("runs/a.json", '{"a":1}'))).toBe('{"a":1}');
  expect(JSON.parse(sealed("runs/a.json", '{"a":1}').toString())).toEqual({
    a: 1,
    mac: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(opened("hashes", sealed("hashes", "text\n"))).toBe("text\n");
  expect(opened("hashes", Buffer.concat(seal(key, "hashes", [Buffer.from("in "), Buffer.from("pieces")])))).toBe(
    "in pieces",
  );
});

it("another key, another name, another content or a cut one does not count", () => {
  const record = sealed("runs/a.json", '{"outcome":"failed"}');
  expect(opened("runs/a.json", record, Buffer.alloc(32, 2))).toBeUndefined();
  expect(opened("runs/b.json", record)).toBeUndefined();
  expect(opened("calls/a.json", record)).toBeUndefined();
  expect(opened("runs/a.json", Buffer.from(record.toString().replace("failed", "passed")))).toBeUndefined();
  const { mac } = JSON.parse(record.toString()) as { mac: string };
  for (const forged of [
    `{"outcome":"passed","mac":"${mac}"}`,
    `{"outcome":"failed","mac":"${mac}","outcome":"passed"}`,
    `{"outcome":"failed","mac":"${mac}"} `,
    `{"outcome":"failed"}`,
    "",
    mac,
  ]) {
    expect(opened("runs/a.json", Buffer.from(forged)), forged).toBeUndefined();
  }
});

it("no byte of a sealed file can be changed, taken out or put in", () => {
  const content = sealed("runs/a.json", '{"outcome":"failed","n":12}');
  assert(
    property(nat(content.length - 1), uint8Array({ maxLength: 3 }), nat(3), (at, put, out) => {
      const changed = Buffer.concat([content.subarray(0, at), put, content.subarray(at + out)]);
      pre(!changed.equals(content));
      expect(opened("runs/a.json", changed)).toBeUndefined();
    }),
    { seed: 1, numRuns: 2000 },
  );
});
