import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const source = path.resolve(import.meta.dirname, "../../src");

/** The order of docs/architecture.md: a room imports only rooms of a lower number. */
const levels: Record<string, number> = {
  text: -1,
  async: -1,
  paths: -1,
  errors: 0,
  deploy: 1,
  tree: 1,
  state: 2,
  config: 3,
  module: 3,
  graphql: 3,
  llb: 3,
  detect: 4,
  buildkit: 4,
  "core-api": 5,
  "engine-daemon": 6,
  engine: 7,
  call: 8,
  trust: 9,
  session: 10,
  plan: 10,
  extensions: 11,
  watch: 11,
  run: 12,
  services: 12,
  report: 13,
  stats: 14,
  diff: 14,
  caches: 14,
  doctor: 14,
  validate: 15,
  page: 15,
  cli: 16,
  // The package's own door.
  "index.ts": 17,
};

/** More files than this, and one doesn't find what one looks for. */
const mostFiles = 15;
const mostLines = 300;
/** Files that may be longer, and why. */
const longFiles: Readonly<Record<string, string>> = {
  "pipelines/src/index.ts":
    "Dagger's scanner wants all functions in one class: docs/adr/0012-the-module-is-one-class.md",
};
/** A file for each verb, which one finds by its name. */
const verbs = "cli/commands";

interface Import {
  target: string;
  /** Nothing of it is left when the program runs, or it is loaded only when it is needed. */
  isLazy: boolean;
}

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.split(path.sep).join("/"));

function imports(file: string): Import[] {
  const text = readFileSync(path.join(source, file), "utf8");
  const resolved = (specifier: string): string => path.posix.join(path.posix.dirname(file), specifier);
  const statements = [...text.matchAll(/^(?:import|export)\s+(type\s)?(?:([^;"']*?)\sfrom\s+)?"(\.[^"]+)"/gm)];
  const loaded = [...text.matchAll(/\bimport\(\s*"(\.[^"]+)"/g)];
  return [
    ...statements.map(([, type, names = "", specifier = ""]) => ({
      target: resolved(specifier),
      isLazy: type !== undefined || /^\{(\s*type\s[^,}]+,?)+\s*\}$/.test(names.trim()),
    })),
    ...loaded.map(([, specifier = ""]) => ({ target: resolved(specifier), isLazy: true })),
  ];
}

const edges = files.flatMap((file) => imports(file).map((each) => ({ file, ...each })));
const room = (file: string): string => file.split("/")[0] ?? "";
const isDoor = (file: string): boolean => /^[a-z-]+\/index\.ts$/.test(file);

describe("the rooms of src", () => {
  it("are all named in the order", () => {
    expect([...new Set(files.map(room))].filter((name) => !(name in levels))).toEqual([]);
  });

  it("never import a room that stands as high or higher", () => {
    const wrong = edges
      .filter(({ file, target }) => room(file) !== room(target))
      .filter(({ file, target }) => (levels[room(target)] ?? 99) >= (levels[room(file)] ?? -2))
      .map(({ file, target }) => `${file} imports ${target}`);
    expect(wrong).toEqual([]);
  });

  it("are entered only by their door, or for types", () => {
    const wrong = edges
      .filter(({ file, target }) => room(file) !== room(target))
      .filter(({ target }) => !/^[a-z-]+\/(index|types)\.ts$/.test(target))
      .map(({ file, target }) => `${file} imports ${target}`);
    expect(wrong).toEqual([]);
  });
});

describe("the folders of a room", () => {
  it("never form a circle, what is loaded later and types aside", () => {
    const graph = new Map<string, Set<string>>();
    for (const { file, target, isLazy } of edges) {
      const [from, to] = [path.posix.dirname(file), path.posix.dirname(target)];
      if (isLazy || from === to || room(file) !== room(target) || isDoor(file)) continue;
      graph.set(from, (graph.get(from) ?? new Set()).add(to));
    }
    expect([...graph.keys()].flatMap((folder) => circle(graph, folder) ?? [])).toEqual([]);
  });

  it(`have at most ${mostFiles} files`, () => {
    const counts = new Map<string, number>();
    for (const file of files) {
      const folder = path.posix.dirname(file);
      if (folder !== verbs) counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
    expect([...counts].filter(([, count]) => count > mostFiles)).toEqual([]);
  });
});

describe("files", () => {
  it(`have at most ${mostLines} lines, what is generated aside`, () => {
    const root = path.dirname(source);
    const long = ["src", "pipelines/src", "tools", "test"]
      .flatMap((folder) =>
        readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" }).map((file) =>
          path.posix.join(folder, file.split(path.sep).join("/")),
        ),
      )
      .filter((file) => /\.(?:m?ts|mjs)$/.test(file) && !/node_modules|\/fixtures\/|\/cases\/|\.test\.ts$/.test(file))
      .filter((file) => !(file in longFiles))
      .map((file) => ({ file, lines: readFileSync(path.join(root, file), "utf8").split("\n").length - 1 }));
    expect(long.filter(({ lines }) => lines > mostLines)).toEqual([]);
  });
});

/** A way from a folder back to itself, as `a -> b -> a`; each circle is told once, from its first folder by name. */
function circle(graph: ReadonlyMap<string, ReadonlySet<string>>, start: string): string | undefined {
  const before = new Map<string, string>();
  const open = [start];
  for (let folder = open.shift(); folder !== undefined; folder = open.shift()) {
    for (const next of graph.get(folder) ?? []) {
      if (next === start) {
        const way = [start];
        for (let step: string | undefined = folder; step !== start && step !== undefined; step = before.get(step))
          way.unshift(step);
        return way.every((step) => start <= step) ? [start, ...way].join(" -> ") : undefined;
      }
      if (!before.has(next)) {
        before.set(next, folder);
        open.push(next);
      }
    }
  }
  return undefined;
}
