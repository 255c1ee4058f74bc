import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/parse.ts";
import { parseManifests } from "../../../src/deploy/objects/manifests.ts";
import { yamlDocument } from "../../../src/text/yaml.ts";

const many = 20_000;
const lines = (line: (index: number) => string): string => Array.from({ length: many }, (_, i) => line(i)).join("\n");
const problemOf = (text: string): string | undefined => yamlDocument(text).errors[0]?.message;

describe("YAML of others", () => {
  it("has each key once, wherever it stands", () => {
    expect(problemOf("a: 1\nb: { c: 1, d: 2, c: 3 }")).toBe("Map keys must be unique");
    expect(problemOf("- a: 1\n  'a': 2")).toBe("Map keys must be unique");
    expect(problemOf("x: &x { a: 1 }\ny: { <<: *x, <<: *x, a: 2 }\n1: b")).toBeUndefined();
    expect(yamlDocument("a: 1\na: 2").errors[0]?.pos[0]).toBe(5);
  });

  // The time of each grew with the square of the length: minutes.
  it("is read in one go, however many keys, errors, anchors or documents it has", () => {
    expect(yamlDocument(lines((index) => `key${index}:`)).errors).toEqual([]);
    expect(parseConfig(lines((index) => `**/a${index}*b*/**`)).problems.length).toBeLessThanOrEqual(50);
    expect(parseConfig(lines((index) => `key${index}: 1`)).problems.length).toBeLessThanOrEqual(50);
    expect(yamlDocument(lines((index) => `- &a${index} x`)).errors).toEqual([]);
    expect(() => parseManifests([{ name: "a", text: lines((index) => `key${index}: 1`) }])).toThrow(/^a:1/);
    expect(() => parseManifests([{ name: "a", text: lines(() => "--- {}") }])).toThrow(/^a:1/);
  });

  it("may hold texts of as many brackets and dashes as it likes", () => {
    const [ranges, table] = [lines(() => "  [1, 2)"), `  ${"- ".repeat(many)}`];
    const texts = [
      `a: |\n${ranges}`,
      `a: >-\n${table}\n`,
      `a: '\n${ranges}'`,
      `a: b\n${ranges}`,
      `# ${"[".repeat(many)}\na: 1`,
    ];
    for (const text of texts) expect(yamlDocument(text).errors, text.slice(0, 10)).toEqual([]);
    expect(yamlDocument(`x: |\n${ranges}\ny: ${"[".repeat(many)}`).errors[0]).toMatchObject({
      message: "Nested too deep",
      pos: [5 + ranges.length + 4 + 2000, expect.anything()],
    });
  });

  it("has no more values than ten thousand targets have", () => {
    const pairs = (count: number): string => Array.from({ length: count }, (_, i) => `k${i}: v`).join("\n");
    expect(problemOf(pairs(49_000))).toBeUndefined();
    expect(problemOf(pairs(51_000))).toBe("More than 100,000 values");
    // A long text is one value.
    expect(problemOf(`a: |\n${lines(() => "  a: [b, c]".repeat(20))}`)).toBeUndefined();
  });

  it("says that it is nested too deep, and that its aliases are too many", () => {
    expect(problemOf(`a: ${"[".repeat(many)}`)).toBe("Nested too deep");
    // The parser alone would take a gigabyte for these.
    for (const level of ["[", "{", "[a,", "- ", "? ", "-\t"])
      expect(problemOf(level.repeat(500_000)), level).toBe("Nested too deep");
    // A bracket in a text closes none.
    for (const level of ['["]",', "{']': "]) expect(problemOf(level.repeat(500_000)), level).toBe("Nested too deep");
    expect(problemOf(`a: "${"[".repeat(1500)}"\nb: [${"[],".repeat(5000)}]`)).toBeUndefined();
    expect(problemOf(lines((index) => `${" ".repeat(index % 1000)}k:`))).toBeDefined();
    const doubled = Array.from({ length: 30 }, (_, i) => `x${i + 1}: &x${i + 1} [*x${i}, *x${i}]`).join("\n");
    expect(parseConfig(`x0: &x0 [a]\n${doubled}`).problems).toMatchObject([{ message: /Excessive alias count/ }]);
  });
});
