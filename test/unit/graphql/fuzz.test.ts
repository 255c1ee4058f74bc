/** Requests against ten thousand inputs: documents of real queries with tokens changed, and noise. */
import { constantFrom, array, nat, oneof, property, string, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { flat, rebuilt } from "../../../src/graphql/flat-tree.ts";
import { expandedSize, parseRequest, queryLimits, refusedToBodies } from "../../../src/graphql/index.ts";
import { buildApiSchema } from "../../../src/core-api/schema/schema.ts";
import { validationErrors } from "../../../src/core-api/request/validate.ts";
import { fuzz, fuzzTimeoutMs, inTime } from "../fuzz.ts";

const documents = [
  '{ container { from(address: "a") { withExec(args: ["a", "b"]) { stdout } } } }',
  "query Q($a: String!, $b: [Int!] = [1]) { a: host { directory(path: $a) @skip(if: false) { id } } ...F }\nfragment F on Query { version ...G }\nfragment G on Query { ...F }",
  'mutation { x }\nsubscription { y }\n{ setSecret(name: """block\n text""", plaintext: "\\u{1F600}") { id } }',
  '{ node(id: "x") { ... on Container { id } ... @include(if: true) { __typename } } __schema { types { name fields { args { type { ofType { name } } } } } } }',
];
const tokens = documents.flatMap((text) => text.match(/"""[^]*?"""|"(?:\\.|[^"])*"|\.\.\.|[$@]?\w+|\S/g) ?? []);
const token = oneof(
  constantFrom(...tokens),
  constantFrom("{", "}", "(", ")", "[", "]", "...", "on", "fragment", "#", '"', "\u0000", "\ufeff", "1e999"),
  string(),
);
const changed = tuple(constantFrom(...documents), nat(), array(token, { maxLength: 4 }), nat(6)).map(
  ([text, at, put, out]) => {
    const start = at % (text.length + 1);
    return `${text.slice(0, start)}${put.join(" ")}${text.slice(start + out)}`;
  },
);
const deep = tuple(constantFrom("{a", "[", "(a:{", "{...F}", "fragment F on Q{...F}"), nat(400)).map(([part, count]) =>
  part.repeat(count),
);

describe(
  "ten thousand inputs each",
  () => {
    const schema = buildApiSchema();

    it("a document is parsed, measured, guarded and validated, or refused in words", async () => {
      for (const text of [documents[0]!, documents[3]!])
        expect(validationErrors(schema, parseRequest(text, queryLimits))).toEqual([]);
      await fuzz(
        property(
          oneof(
            changed,
            deep,
            array(token, { maxLength: 30 }).map((parts) => parts.join(" ")),
            string(),
          ),
          (text) => {
            inTime(() => {
              let document;
              try {
                document = parseRequest(text, queryLimits);
              } catch (error) {
                // By name: the library is there twice, for modules of both kinds.
                expect((error as Error).name).toBe("GraphQLError");
                return;
              }
              const { selections, levels } = expandedSize(document, queryLimits.levels);
              expect([selections >= 0, levels >= 0]).toEqual([true, true]);
              if (selections > queryLimits.selections || levels > queryLimits.levels) return;
              expect(["string", "undefined"]).toContain(typeof refusedToBodies(document));
              for (const { message } of validationErrors(schema, document))
                expect(message).not.toMatch(/\n\s+at |undefined is|not a function/);
              // As it comes from the thread that parses.
              const bare = parseRequest(text, queryLimits, { noLocation: true });
              expect(JSON.stringify(rebuilt(structuredClone(flat(bare))))).toBe(JSON.stringify(bare));
            });
          },
        ),
      );
    });
  },
  fuzzTimeoutMs,
);
