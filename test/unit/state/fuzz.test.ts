/** Every parser of state against ten thousand inputs: valid ones that were damaged, JSON of any form, and noise. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  anything,
  constantFrom,
  jsonValue,
  nat,
  oneof,
  property,
  string,
  tuple,
  uint8Array,
  type Arbitrary,
} from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { parseResult } from "../../../src/cli/call/result-cache.ts";
import { lastFailure } from "../../../src/engine/embedded/start.ts";
import { parseManifest } from "../../../src/plan/scan/manifests.ts";
import { holderIn } from "../../../src/run/records/lock-holder.ts";
import { groupOfName, parseRecord, recordShape, timeOfId } from "../../../src/run/records/record-file.ts";
import { hasEntry } from "../../../src/state/git-index.ts";
import { seal, unseal } from "../../../src/state/seal.ts";
import { parseKey } from "../../../src/state/user-key.ts";
import { formatHashes, parseHashes } from "../../../src/tree/hashes/hash-cache.ts";
import { HashTable } from "../../../src/tree/hashes/hash-table.ts";
import { fuzz, fuzzTimeoutMs } from "../fuzz.ts";

const folder = mkdtempSync(path.join(tmpdir(), "fastloop-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A valid file with some of its bytes put in, taken out or changed; JSON of any form, of which some fields are right; noise. */
function inputs(...valid: (Buffer | object)[]): Arbitrary<Buffer> {
  const files = valid.map((one) => (Buffer.isBuffer(one) ? one : Buffer.from(JSON.stringify(one))));
  const damaged = tuple(constantFrom(...files), nat(), uint8Array({ maxLength: 8 }), nat(8)).map(
    ([file, at, put, out]) => {
      const start = at % (file.length + 1);
      return Buffer.concat([file.subarray(0, start), put, file.subarray(start + out)]);
    },
  );
  const cut = tuple(constantFrom(...files), nat()).map(([file, at]) => file.subarray(0, at % (file.length + 1)));
  const fields = valid.flatMap((one) => (Buffer.isBuffer(one) ? [] : Object.keys(one)));
  const json = tuple(
    constantFrom(...files),
    constantFrom(...fields, "__proto__", "constructor", "length"),
    jsonValue(),
  ).map(([file, field, value]) => {
    // As text, so that `__proto__` is a field like others.
    return Buffer.from(file.toString("utf8").replace(/^\{/, `{${JSON.stringify(field)}:${JSON.stringify(value)},`));
  });
  const other = jsonValue().map((value) => Buffer.from(JSON.stringify(value)));
  return oneof(
    damaged,
    cut,
    json,
    other,
    uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );
}

const record = {
  version: 1,
  id: "20260101T000000.000Z-lib-aaaaaa",
  target: "lib",
  digest: "d",
  outcome: "passed",
  fresh: true,
  durationMs: 1,
  attempts: 1,
  value: "v",
  fingerprint: {
    format: 2,
    function: "f",
    call: ["f"],
    inputs: [{ argument: "a", path: ".", digest: "i" }],
    module: "m",
    engine: "e",
    environment: { A: "unset" },
    needs: {},
    secrets: {},
  },
  reasons: [{ kind: "never-run" }],
  engine: { kind: "embedded", version: "e" },
  startedAt: "2026-01-01T00:00:00.000Z",
  error: { message: "m", exitCode: 1 },
};

describe(
  "ten thousand inputs each",
  () => {
    it("a record is one of its own name, or none", async () => {
      const name = `${record.id}.json`;
      expect(parseRecord(name, Buffer.from(JSON.stringify(record)))).toEqual(record);
      await fuzz(
        property(inputs(record), (content) => {
          const parsed = parseRecord(name, content);
          if (parsed === undefined) return;
          expect(parsed.id).toBe(record.id);
          expect([
            typeof parsed.target,
            typeof parsed.startedAt,
            typeof parsed.fresh,
            Array.isArray(parsed.fingerprint.inputs),
          ]).toEqual(["string", "string", "boolean", true]);
        }),
      );
    });

    it("hashes are columns of one length, or none", async () => {
      const table = new HashTable();
      const entry = {
        path: "",
        type: "file" as const,
        mode: 0,
        sizeBytes: 1,
        mtimeNs: 1n,
        ctimeNs: 1n,
        inode: 1n,
        uid: 0,
        gid: 0,
      };
      for (const name of ["a", "b/c"]) table.set(name, entry, "0".repeat(64));
      const valid = Buffer.concat(formatHashes(new Map([["/root", table]])));
      expect(parseHashes(valid)?.get("/root")?.storedPaths).toEqual(["a", "b/c"]);
      await fuzz(
        property(inputs(valid), (content) => {
          for (const [, { storedPaths }] of parseHashes(content) ?? [])
            expect(storedPaths.length).toBeLessThan(content.length);
        }),
      );
    });

    it("a lock names a process and a command of ours, or nothing", async () => {
      const holder = { pid: 1, startTicks: "5", command: "fastloop run", since: "2026-01-01T00:00:00.000Z" };
      expect(holderIn(Buffer.from(JSON.stringify(holder)))).toEqual(holder);
      await fuzz(
        property(inputs(holder), (content) => {
          const parsed = holderIn(content);
          if (parsed !== undefined)
            expect(`${parsed.pid} ${parsed.startTicks} ${parsed.command} ${parsed.since}`).toMatch(
              /^[1-9]\d* \d* fastloop [a-z-]+ [\dT:.Z-]*$/,
            );
        }),
      );
    });

    it("a stored result has its times and a value, or is none", async () => {
      const result = { version: 1, startedAtMs: 1, keepMs: 1, value: ["v"] };
      expect(parseResult(Buffer.from(JSON.stringify(result)))).toEqual(result);
      await fuzz(
        property(inputs(result), (content) => {
          const parsed = parseResult(content);
          if (parsed !== undefined)
            expect([typeof parsed.startedAtMs, typeof parsed.keepMs]).toEqual(["number", "number"]);
        }),
      );
    });

    it("a manifest maps names to keys, or is cut", async () => {
      const valid = "a\0f644 x\nb\nc\0f644 y\n";
      expect(parseManifest(valid)).toEqual(
        new Map([
          ["a", "f644 x"],
          ["b\nc", "f644 y"],
        ]),
      );
      await fuzz(
        property(inputs(Buffer.from(valid)), (content) => {
          for (const [, key] of parseManifest(content.toString("utf8")) ?? []) expect(key).not.toContain("\n");
        }),
      );
    });

    it("a key is one that was not touched", async () => {
      const hex = "ab".repeat(32);
      await fuzz(
        property(
          inputs(Buffer.from(`fastloop state key, to be known to nobody else\n${hex} 00000000\n`)),
          (content) => {
            expect(parseKey(content)).toBeUndefined();
          },
        ),
      );
    });

    it("a seal opens what it was made for", async () => {
      const key = Buffer.alloc(32, 1);
      const valid = Buffer.concat(seal(key, "calls/x.json", [Buffer.from('{"version":1}')]));
      await fuzz(
        property(inputs(valid), constantFrom("calls/x.json", "calls/y.json", "hashes"), (content, name) => {
          const opened = unseal(key, name, Buffer.from(content));
          expect(opened === undefined || (content.equals(valid) && name === "calls/x.json")).toBe(true);
        }),
      );
    });

    it("a name in the folder of records is of our shape and has a time, or is none of ours", async () => {
      await fuzz(
        property(
          oneof(
            string(),
            string({ unit: "binary" }),
            string().map((text) => `20260101T000000.000Z-${text}-aaaaaa.json`),
            string().map((text) => `20260101T000000.000Z-${text}-aaaaaa.${text}.json`),
            anything().map((value) => JSON.stringify(value) ?? ""),
          ),
          (name) => {
            expect(timeOfId(name)).toBeGreaterThanOrEqual(0);
            if (recordShape.test(name))
              expect([groupOfName(name), name]).not.toContainEqual(expect.stringMatching(/[/\0]|\.\./));
          },
        ),
      );
    });

    it("git's index has an entry or not, and ends", async () => {
      const file = path.join(folder, "index");
      const head = (version: number, count: number): Buffer =>
        Buffer.from([0x44, 0x49, 0x52, 0x43, 0, 0, 0, version, 0, 0, 0, count]);
      const entries = [2, 3, 4].map((version) =>
        Buffer.concat([
          head(version, 2),
          Buffer.alloc(60),
          Buffer.from([0, 1]),
          Buffer.from(version === 4 ? "\0a\0" : "a\0"),
          Buffer.alloc(60),
          Buffer.from([0x40, 1, 0, 0]),
          Buffer.from("b\0"),
        ]),
      );
      await fuzz(
        property(inputs(...entries), (content) => {
          writeFileSync(file, content);
          try {
            expect(typeof hasEntry(file, ".fastloop", 20)).toBe("boolean");
          } catch (error) {
            expect(error).toMatchObject({
              message: expect.stringMatching(
                /^(?:not an index|a damaged index|The value of "offset"|Attempt to access)/,
              ),
            });
          }
        }),
      );
    });

    it("the engine's failure has a message, or is none", async () => {
      const failure = { message: "m", hint: "h", detail: "d" };
      await fuzz(
        property(inputs(failure), (content) => {
          writeFileSync(path.join(folder, "failure.json"), content);
          const parsed = lastFailure(folder);
          if (parsed !== undefined)
            expect([typeof parsed.message, typeof (parsed.hint ?? ""), typeof (parsed.detail ?? "")]).toEqual([
              "string",
              "string",
              "string",
            ]);
        }),
      );
    });
  },
  fuzzTimeoutMs,
);
