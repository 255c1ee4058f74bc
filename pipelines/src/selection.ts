import type { ResolvedSuite } from "../vendor/config.mjs";

export type Runner = NonNullable<ResolvedSuite["runner"]>;

/** Which tests of a suite a change affects. `trace`: those that reach these files (relative to the suite's cwd). */
export type Selection = { kind: "all"; because: string } | { kind: "none" } | { kind: "trace"; changed: string[] };

/** Each runner's default pattern for test files. */
export const testFile: Record<Runner, RegExp> = {
  vitest: /\.(test|spec)\.[cm]?[jt]sx?$/,
  jest: /(\.(test|spec)\.[cm]?[jt]sx?|(^|\/)__tests__\/.*\.[cm]?[jt]sx?)$/,
  node: /((^|\/)(test|test-[^/]*|[^/]*[._-]test)|(^|\/)test\/.*)\.[cm]?[jt]s$/,
  pytest: /(^|\/)(test_[^/]*|[^/]*_test)\.py$/,
  go: /_test\.go$/,
  cargo: /(^|\/)tests\/[^/]*\.rs$/,
};

/** Files that a runner's tests can reach through imports. */
const codeFile: Record<Runner, RegExp> = {
  vitest: /\.([cm]?[jt]sx?|json)$/,
  jest: /\.([cm]?[jt]sx?|json)$/,
  node: /\.([cm]?[jt]s|json)$/,
  pytest: /\.py$/,
  go: /(\.go|(^|\/)testdata\/.*)$/,
  cargo: /\.rs$/,
};

/**
 * Returns which tests changed files (relative to the project) affect. Selects all in case of doubt: if the change
 * includes a manifest, a runner's configuration, a file that is not code, or one that the suite reads from outside its
 * cwd. `imageFiles` are patterns of the files that the suite's image is built from.
 */
export function selectTests(
  suite: ResolvedSuite,
  changed: readonly string[],
  imageFiles: readonly string[] = [],
): Selection {
  const config = changed.find((file) => file === "fastloop.yaml" || file === "fastloop.lock");
  if (config !== undefined) return { kind: "all", because: `${config} changed` };
  const own = changed.flatMap((file) => ownPath(suite, file));
  const inImage = changed.find((file) => ownPath(suite, file).length === 0 && isRead(imageFiles, file));
  if (inImage !== undefined) return { kind: "all", because: `${inImage} changed, which is in its image` };
  if (own.length === 0) return { kind: "none" };
  const { runner } = suite;
  if (runner === undefined) return { kind: "all", because: "the suite has no `runner`" };
  const manifest = own.find((file) => isManifest(suite, file));
  if (manifest !== undefined) return { kind: "all", because: `${manifest} changed` };
  const inCwd = own.flatMap((file) => relativeTo(suite, file) ?? []);
  if (inCwd.length < own.length) return { kind: "all", because: "a file outside the suite's cwd changed" };
  const strange = inCwd.find((file) => !codeFile[runner].test(file));
  if (strange !== undefined)
    return { kind: "all", because: `${strange} changed, and it is unknown which tests read it` };
  return { kind: "trace", changed: inCwd };
}

/** Returns a changed file's path relative to the suite's root; nothing if the suite does not read it. */
function ownPath(suite: ResolvedSuite, file: string): string[] {
  const prefix = suite.root === undefined ? "" : `${suite.root}/`;
  if (!file.startsWith(prefix)) return [];
  const path = file.slice(prefix.length);
  return isRead([...suite.sources, ...suite.manifests], path) ? [path] : [];
}

const isRead = (sources: readonly string[], path: string): boolean =>
  sources.some((source) => {
    if (source === "./") return true;
    return source.endsWith("/") ? path.startsWith(source) : path.startsWith(`${source}/`) || isMatch(source, path);
  });

/**
 * Matches a path with an include pattern (`**`, `*`, `?`). Tracks all positions in the pattern at once, so that the
 * time is linear in the path's length; a regular expression with many `**` would backtrack.
 */
function isMatch(pattern: string, path: string): boolean {
  const parts = pattern.match(/\*\*\/|\*\*|[^]/gu) ?? [];
  // Two places per part: before it, and inside a folder that its `**/` matches.
  let places = new Set<number>();
  const enter = (into: Set<number>, part: number): void => {
    for (let at = part; !into.has(2 * at); at++) {
      into.add(2 * at);
      if (!["*", "**", "**/"].includes(parts[at] ?? "")) break;
    }
  };
  enter(places, 0);
  for (const char of path) {
    const next = new Set<number>();
    for (const place of places) {
      const at = place >> 1;
      const part = parts[at];
      if (part === "**/") next.add(2 * at + 1);
      if (part === "**" || (part === "*" && char !== "/")) enter(next, at);
      const isPast = part === "**/" ? char === "/" : part === "?" ? char !== "/" : part !== "*" && part === char;
      if (isPast) enter(next, at + 1);
    }
    places = next;
  }
  return places.has(2 * parts.length);
}

const manifestNames =
  /(^|\/)(package\.json|package-lock\.json|tsconfig[^/]*\.json|pyproject\.toml|conftest\.py|Cargo\.(toml|lock)|build\.rs|go\.(mod|sum|work)|[^/]*\.config\.[cm]?[jt]s)$/;

const isManifest = (suite: ResolvedSuite, file: string): boolean =>
  suite.manifests.includes(file) || manifestNames.test(file);

function relativeTo(suite: ResolvedSuite, file: string): string | undefined {
  const cwd = suite.cwd === suite.workdir ? "" : `${suite.cwd.slice(suite.workdir.length + 1)}/`;
  return file.startsWith(cwd) ? file.slice(cwd.length) : undefined;
}
