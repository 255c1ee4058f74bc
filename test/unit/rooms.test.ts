import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const source = path.resolve(import.meta.dirname, "../../src");

/** The order of docs/architecture.md: a room imports only rooms of a lower number. */
const levels: Record<string, number> = {
  text: -1,
  paths: -1,
  errors: 0,
  tree: 1,
  state: 2,
  config: 3,
  module: 3,
  detect: 4,
  engine: 4,
  call: 5,
  trust: 6,
  plan: 7,
  watch: 8,
  run: 9,
  report: 10,
  cli: 11,
  // The package's own door.
  "index.ts": 12,
};

const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

function imports(file: string): string[] {
  const text = readFileSync(path.join(source, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((match) =>
    path.relative(source, path.resolve(source, path.dirname(file), match[1] ?? "")),
  );
}

describe("the rooms of src", () => {
  it("are all named in the order", () => {
    const rooms = new Set(files.map((file) => file.split("/")[0]));
    expect([...rooms].filter((room) => room !== undefined && !(room in levels))).toEqual([]);
  });

  it("never import a room that stands as high or higher", () => {
    const wrong = files.flatMap((file) => {
      const from = file.split("/")[0] ?? "";
      return imports(file)
        .filter((target) => !target.startsWith(`${from}/`))
        .filter((target) => (levels[target.split("/")[0] ?? ""] ?? 99) >= (levels[from] ?? -2))
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it("are entered only by their door, or for types", () => {
    const wrong = files.flatMap((file) => {
      const from = file.split("/")[0] ?? "";
      return imports(file)
        .filter((target) => !target.startsWith(`${from}/`))
        .filter((target) => !/^[a-z]+\/(index|types)\.ts$/.test(target))
        .map((target) => `${file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });
});
