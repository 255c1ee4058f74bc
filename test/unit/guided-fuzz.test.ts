/** Parsers of what others write, against ten thousand inputs each that coverage leads. */
import { beforeAll, describe, expect, it } from "vitest";
import { fuzzTimeoutMs } from "./fuzz.ts";
import { guidedFuzz, instrumented } from "./guided-fuzz.ts";

type Instrumented = Awaited<ReturnType<typeof instrumented>>;
const jsonWords = ['"', "{", "}", "[", "]", ":", ",", "null", "true", "-1", "1e999", '"__proto__"', "\\u0000", "0"];

/** Errors that are meant for people; another one is a bug of the parser's. */
const expected = /^(?:UserError|ApiError|GraphQLError|SyntaxError|JsonProblem)$/;

function orRefused(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (!expected.test((error as Error).name)) throw error;
  }
}

describe("parsers", { timeout: fuzzTimeoutMs }, () => {
  let all: Instrumented;
  const parser = (name: string): ((...words: unknown[]) => unknown) =>
    all.parsers[name] as unknown as (...words: unknown[]) => unknown;

  beforeAll(async () => {
    all = await instrumented(`
      export { parseRecord } from "./src/run/records/record-file.ts";
      export { holderIn } from "./src/run/records/lock-holder.ts";
      export { parseResult } from "./src/cli/call/result-cache.ts";
      export { parseManifest } from "./src/plan/scan/manifests.ts";
      export { parseHashes } from "./src/tree/hashes/hash-cache.ts";
      export { unseal } from "./src/state/seal.ts";
      export { namesOf } from "./src/tree/git/git-index.ts";
      export { parseFromRuntime } from "./src/module/runtime-process/runtime-messages.ts";
      export { parseRequest, readingLimits } from "./src/graphql/parse.ts";
      export { expandedSize } from "./src/graphql/expanded-size.ts";
      export { refusedToBodies } from "./src/graphql/body-guard.ts";
      export { PatternMatcher } from "./src/tree/patterns/patterns.ts";
      export { parseGitignore } from "./src/tree/rules/gitignore.ts";
      export { nameMatcher } from "./src/tree/patterns/globs.ts";
      export { readLayout } from "./src/core-api/image/layout.ts";
      export { whiteout } from "./src/core-api/image/archive.ts";
      export { parseImageReference } from "./src/core-api/image/reference.ts";
      export { decodePacket } from "./src/buildkit/fsutil/packet.ts";
      export { jsonWork } from "./src/core-api/file/json-work.ts";
    `);
  }, fuzzTimeoutMs);

  it("of records, locks and results", async () => {
    const record = {
      version: 1,
      id: "20260101T000000.000Z-lib-aaaaaa",
      target: "lib",
      digest: "d",
      outcome: "passed",
      fresh: true,
      durationMs: 1,
      attempts: 1,
      fingerprint: {
        format: 2,
        function: "f",
        call: ["f"],
        inputs: [],
        module: "m",
        engine: "e",
        environment: {},
        needs: {},
        secrets: {},
      },
      reasons: [{ kind: "never-run" }],
      engine: { kind: "embedded", version: "e" },
      startedAt: "2026-01-01T00:00:00.000Z",
    };
    const seeds = [
      JSON.stringify(record),
      '{"pid":1,"startTicks":"5","command":"fastloop run","since":"2026-01-01T00:00:00.000Z"}',
      '{"version":1,"startedAtMs":1,"keepMs":1,"value":["v"]}',
      "a\0f644 x\nb\0f644 y\n",
    ];
    const { reached, ofSeeds } = await guidedFuzz(all, seeds, jsonWords, (input) => {
      parser("parseRecord")(`${record.id}.json`, input);
      parser("holderIn")(input);
      parser("parseResult")(input);
      parser("parseManifest")(input.toString("utf8"));
    });
    expect(reached).toBeGreaterThan(ofSeeds);
  });

  it("of hashes, seals and git's index", async () => {
    const index = Buffer.concat([
      Buffer.from([0x44, 0x49, 0x52, 0x43, 0, 0, 0, 2, 0, 0, 0, 1]),
      Buffer.alloc(60),
      Buffer.from([0, 1]),
      Buffer.from("a\0"),
      Buffer.alloc(40),
    ]);
    const seeds = [index, '{"version":1}\n', Buffer.alloc(64, 1)];
    await guidedFuzz(all, seeds, ["DIRC", "\0\0\0\x04", "\xff\xff\xff\xff", "link"], (input) => {
      parser("parseHashes")(input);
      parser("unseal")(Buffer.alloc(32, 1), "hashes", input);
      try {
        parser("namesOf")(input, 20);
      } catch (error) {
        // It is taken for no index.
        if (!(error instanceof RangeError) && !/index/.test((error as Error).message)) throw error;
      }
    });
  });

  it("of what a body's process says", async () => {
    const seeds = [
      '{"kind":"ready"}',
      '{"kind":"result","id":1,"value":{"$type":"Directory","$id":"x"}}',
      '{"kind":"error","id":1,"error":{"name":"Error","message":"m","frames":["a"],"exec":{"command":["a"],"exitCode":1,"stdout":"","stderr":""}}}',
      '{"kind":"log","callId":"a","stream":"stdout","text":"t"}',
    ];
    await guidedFuzz(all, seeds, [...jsonWords, '"kind"', '"error"', '"log"', '"frames"', '"exec"'], (input) => {
      let message: unknown;
      try {
        message = JSON.parse(input.toString("utf8"));
      } catch {
        return;
      }
      parser("parseFromRuntime")(message);
    });
  });

  it("of GraphQL documents", async () => {
    const seeds = [
      '{ container { from(address: "a") { withExec(args: ["a", "b"]) { stdout } } } }',
      'query Q($a: String! = "x", $b: [Int!] = [1]) @d { a: host { directory(path: $a) @skip(if: false) { id } } ...F }\nfragment F on Query { version }',
      'subscription { x(a: {b: [1.5e3, $c, null, A]}, d: """block""") }',
    ];
    const words = [
      "{",
      "}",
      "(",
      ")",
      "[",
      "]",
      "...",
      "on ",
      "fragment F on Query",
      "...F",
      '"""',
      "$a",
      "@x",
      "!",
      "#",
      "\\u{1F600}",
    ];
    const { reached, ofSeeds } = await guidedFuzz(all, seeds, words, (input) =>
      orRefused(() => {
        const document = parser("parseRequest")(input.toString("utf8"), all.parsers["readingLimits"]);
        parser("expandedSize")(document, 100);
        parser("refusedToBodies")(document);
      }),
    );
    expect(reached).toBeGreaterThan(ofSeeds);
  });

  it("of patterns and ignore files", async () => {
    const seeds = [
      "a/**/b*.[a-z]?",
      "!*.log\n/build/\n\\#a\n[!a-c]x/**\n",
      "**/{a,b}\\*",
      "[[:alpha:]]",
      "a\n".repeat(20),
    ];
    const words = ["**", "*", "?", "[", "]", "[^", "[!", "a-z", "\\", "/", "!", "\n", "{", "}", ",", "[[:digit:]]"];
    const Matcher = all.parsers["PatternMatcher"] as unknown as new (patterns: string[]) => {
      matches(file: string): boolean;
      mayMatchInside(folder: string, kind: string): boolean;
    };
    const names = ["a", "a/b/c.txt", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "é/🙂", "x".repeat(300)];
    await guidedFuzz(all, seeds, words, (input) => {
      const text = input.toString("utf8");
      orRefused(() => {
        const matcher = new Matcher(text.split("\n"));
        for (const name of names) matcher.matches(name);
        matcher.mayMatchInside("a/b", "inclusion");
      });
      const rules = parser("parseGitignore")(text) as { test(name: string): boolean }[];
      for (const rule of rules) for (const name of names) rule.test(name);
      orRefused(() =>
        (parser("nameMatcher")(text.split("\n")[0]) as (name: string) => boolean)("aaaaaaaaaaaaaaaaaaaaab"),
      );
    });
  });

  it("of what an archive says of its images", async () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    const layout = {
      manifests: [{ digest, platform: { os: "linux", architecture: "amd64" } }],
      config: { digest },
      layers: [{ digest }],
      os: "linux",
      architecture: "amd64",
    };
    const seeds = [JSON.stringify(layout), '[{"Config":"c","RepoTags":["a:t"],"Layers":["l"]}]'];
    const words = [...jsonWords, digest, '"annotations"', '"manifests"', '"platform"', '"variant"', '"../../x"'];
    await guidedFuzz(all, seeds, words, async (input) => {
      for (const names of [
        ["index.json", `blobs/sha256/${"ab".repeat(32)}`],
        ["manifest.json", "c", "l"],
      ]) {
        const asked: string[] = [];
        const read = async (name: string): Promise<unknown> => {
          asked.push(name);
          return JSON.parse(input.toString("utf8"));
        };
        try {
          await parser("readLayout")(new Set(names), { tag: "", platform: "linux/amd64" }, read);
        } catch (error) {
          if (!expected.test((error as Error).name)) throw error;
        }
        for (const name of asked) expect(names.includes(name) || /^blobs\/sha256\/[0-9a-f]{64}$/.test(name)).toBe(true);
      }
    });
  });

  it("of an archive's names, image references, fsutil's packets and JSON documents", async () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    const packet = Buffer.from([8, 0, 18, 6, 10, 1, 97, 16, 1, 40, 24, 2, 34, 1, 0]);
    const seeds = ["a/.wh.b", "a/.wh..wh..opq", `ghcr.io/a/b:c@${digest}`, packet, '{"a":[1,{"b":null}]}'];
    const words = [...jsonWords, ".wh.", "../", digest, "\x12\xff\xff\xff\xff\x0f", "@sha256:"];
    await guidedFuzz(all, seeds, words, (input) => {
      const text = input.toString("utf8");
      orRefused(() => parser("parseImageReference")(text));
      const marks = parser("whiteout")(text) as { removes: { path: string }; mark: string }[];
      for (const { removes, mark } of marks)
        expect(
          removes.path.startsWith("/") && mark.startsWith("/") && !removes.path.split("/").includes(".."),
          removes.path,
        ).toBe(true);
      try {
        parser("decodePacket")(input);
      } catch (error) {
        // What is cut or no packet ends that transfer.
        if (!(error instanceof RangeError) && !/invalid|index out of range/i.test((error as Error).message))
          throw error;
      }
      for (const kind of ["compact", "names", "elements"]) orRefused(() => parser("jsonWork")({ kind, json: text }));
    });
  });
});
