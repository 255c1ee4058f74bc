import { posix } from "node:path";

/** Which file imports which, as found in the text of the files. Paths are relative to the suite's cwd. */
export interface ImportGraph {
  files: ReadonlySet<string>;
  imports: ReadonlyMap<string, ReadonlySet<string>>;
  /** Files that may reach any file: they start processes, compute imports or use aliases. */
  opaque: ReadonlySet<string>;
}

/**
 * Returns tests that reach a changed or an opaque file; undefined if a changed file is unknown, such as a deleted one.
 */
export function testsReaching(
  graph: ImportGraph,
  tests: readonly string[],
  changed: readonly string[],
): string[] | undefined {
  if (changed.some((file) => !graph.files.has(file))) return undefined;
  const goals = new Set([...changed, ...graph.opaque]);
  return tests.filter((test) => reaches(graph, test, goals));
}

function reaches(graph: ImportGraph, start: string, goals: ReadonlySet<string>): boolean {
  const seen = new Set([start]);
  for (const file of seen) {
    if (goals.has(file)) return true;
    for (const next of graph.imports.get(file) ?? []) seen.add(next);
  }
  return false;
}

/** Lists the files below cwd (`F path`). The lines with imports (`./path:line:text`) follow in the full command. */
const listing =
  "find . \\( -name node_modules -o -name .git -o -name .venv \\) -prune -o -type f -print | sed 's|^\\./|F |'";
const quotedRelative = "[\"'`]\\.\\.?(/[^\"'`]*)?[\"'`]";
const javascriptOpaque =
  "child_process|worker_threads|execa|import\\.meta\\.glob|require\\.context|(import|require)\\([^\"'`)]|[\"'](#|@/|~)[^\"']*[\"']";
const pythonOpaque =
  "importlib|__import__|runpy|subprocess|multiprocessing|os\\.(system|exec|spawn|popen)|sys\\.executable|pytester";

const grep = (expression: string, names: readonly string[]): string =>
  `{ grep -rnoE --exclude-dir=node_modules --exclude-dir=.venv ${names.map((name) => `--include='${name}'`).join(" ")} -- "$EXPRESSION" . || true; }`.replace(
    '"$EXPRESSION"',
    `'${expression.replaceAll("'", `'\\''`)}'`,
  );

/**
 * Returns the command whose output `javascriptGraph` reads. `packageName`: imports of the package's own name are
 * opaque.
 */
export const javascriptListing = (packageName: string | undefined): string => {
  const own = packageName === undefined ? "" : `|["']${packageName.replaceAll(".", "\\.")}(/[^"']*)?["']`;
  return `${listing}; ${grep(`${quotedRelative}|${javascriptOpaque}${own}`, ["*.js", "*.cjs", "*.mjs", "*.jsx", "*.ts", "*.cts", "*.mts", "*.tsx"])}`;
};
/** The command whose output `pythonGraph` reads. */
export const pythonListing = `${listing}; ${grep(`^[[:space:]]*(from|import)[[:space:]].*|${pythonOpaque}`, ["*.py"])}`;

function readListing(text: string): { files: Set<string>; lines: { file: string; text: string }[] } {
  const files = new Set<string>();
  const lines: { file: string; text: string }[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("F ")) files.add(line.slice(2));
    const match = /^\.\/(.*?):\d+:([^]*)$/.exec(line);
    if (match !== null) lines.push({ file: match[1]!, text: match[2]! });
  }
  return { files, lines };
}

/**
 * Builds the graph of a JavaScript project. Every quoted relative path is an import: import, require, mock, new URL.
 */
export function javascriptGraph(text: string): ImportGraph {
  const { files, lines } = readListing(text);
  const imports = new Map<string, Set<string>>();
  const opaque = new Set<string>();
  for (const { file, text: match } of lines) {
    const quoted = /^["'`](\.\.?(?:\/.*)?)["'`]$/.exec(match)?.[1];
    if (quoted === undefined || quoted.includes("${")) opaque.add(file);
    else for (const found of resolveRelative(files, posix.join(posix.dirname(file), quoted))) add(imports, file, found);
  }
  return { files, imports, opaque };
}

const extensions = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json"];

function resolveRelative(files: ReadonlySet<string>, path: string): string[] {
  const bare = path.replace(/\/$/, "");
  const stem = bare.replace(/\.[cm]?jsx?$/, "");
  const candidates = [
    bare,
    ...extensions.flatMap((extension) => [
      `${bare}${extension}`,
      `${stem}${extension}`,
      posix.join(bare, `index${extension}`),
    ]),
  ];
  const found = candidates.filter((candidate) => files.has(candidate));
  if (found.length > 0) return found;
  const prefix = bare === "." ? "" : `${bare}/`;
  return [...files].filter((file) => file.startsWith(prefix));
}

/**
 * Builds the graph of a Python project. A module is any file whose path ends with its dotted name, because the import
 * roots are unknown; this may find too many files, but not too few.
 */
export function pythonGraph(text: string): ImportGraph {
  const { files, lines } = readListing(text);
  const modules = modulesByName(files);
  const imports = new Map<string, Set<string>>();
  const opaque = new Set<string>();
  for (const { file, text: line } of lines) {
    const names = importedModules(file, line.trim());
    if (names === undefined || new RegExp(pythonOpaque).test(line)) opaque.add(file);
    for (const name of names ?? []) for (const found of modules(name)) add(imports, file, found);
  }
  return { files, imports, opaque };
}

/** Returns the dotted names that a line imports; undefined if the line is not an import. */
function importedModules(file: string, line: string): string[] | undefined {
  const from = /^from\s+(?=\S)(\.*)(?!\.)([\w.]*)\s+import\s+([^]*)$/.exec(line);
  if (from !== null) {
    const [, dots = "", base = "", what = ""] = from;
    const folder = posix
      .dirname(file)
      .split("/")
      .filter((part) => part !== ".");
    const parent = dots === "" ? [] : folder.slice(0, folder.length - (dots.length - 1));
    const module = [...parent, ...base.split(".").filter((part) => part !== "")].join(".");
    const names = /^[(*\\]|,\s*\\?$/.test(what) ? ["*"] : [];
    const items = what
      .replaceAll(/[()\\]|#.*/g, "")
      .split(",")
      .map((item) => item.trim().split(/\s/)[0] ?? "");
    return [module, ...[...items, ...names].filter((item) => item !== "").map((item) => `${module}.${item}`)].filter(
      (name) => name !== "",
    );
  }
  const plain = /^import\s+([^]*)$/.exec(line);
  return plain?.[1]?.split(",").map((item) => item.trim().split(/\s/)[0] ?? "");
}

function modulesByName(files: ReadonlySet<string>): (name: string) => string[] {
  const python = [...files].filter((file) => file.endsWith(".py"));
  const ending = (path: string): string[] => python.filter((file) => file === path || file.endsWith(`/${path}`));
  const one = (parts: readonly string[]): string[] => {
    const path = parts.join("/");
    if (parts.at(-1) !== "*") return [...ending(`${path}.py`), ...ending(`${path}/__init__.py`)];
    const folder = parts.slice(0, -1).join("/");
    return python.filter((file) => `/${posix.dirname(file)}`.endsWith(`/${folder}`));
  };
  const known = new Map<string, string[]>();
  return (name) => {
    const parts = name.split(".");
    const found = known.get(name) ?? parts.flatMap((_, index) => one(parts.slice(0, index + 1)));
    known.set(name, found);
    return found;
  };
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key) ?? new Set();
  map.set(key, values.add(value));
}
