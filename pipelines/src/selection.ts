import type { ResolvedSuite } from "../vendor/config.mjs";

/** Which tests of a suite a change can affect. `all` when unsure, `none` when it can't. */
export type Selection = { kind: "all"; because: string } | { kind: "none" } | { kind: "files"; files: string[] } | { kind: "related"; files: string[] };

const testFile: Record<NonNullable<ResolvedSuite["runner"]>, RegExp> = {
  vitest: /\.(test|spec)\.[cm]?[jt]sx?$/,
  jest: /\.(test|spec)\.[cm]?[jt]sx?$/,
  node: /\.(test|spec)\.[cm]?[jt]s$/,
  pytest: /(^|\/)(test_[^/]*|[^/]*_test)\.py$/,
  go: /_test\.go$/,
  cargo: /(^|\/)tests\/[^/]*\.rs$/,
};

/**
 * From changed files (relative to the project) to a selection, safe by default: a manifest, a file outside of the suite's
 * folders that it may read, or a runner that can't follow imports means all. vitest and jest follow imports themselves.
 */
export function selectTests(suite: ResolvedSuite, changed: readonly string[]): Selection {
  const own = changed.flatMap((file) => ownPath(suite, file));
  if (own.length === 0) return { kind: "none" };
  const manifest = own.find((file) => isManifest(suite, file));
  if (manifest !== undefined) return { kind: "all", because: `${manifest} changed` };
  const { runner } = suite;
  if (runner === undefined) return { kind: "all", because: "the suite names no runner" };
  const inCwd = own.map((file) => relativeTo(suite, file));
  if (inCwd.some((file) => file === undefined)) return { kind: "all", because: "a file outside of the suite's cwd changed" };
  const files = inCwd.filter((file) => file !== undefined);
  if (files.every((file) => testFile[runner].test(file))) {
    return runner === "go" ? { kind: "files", files: packagesOf(files) } : { kind: "files", files };
  }
  if (runner === "vitest" || runner === "jest") return { kind: "related", files };
  return { kind: "all", because: `${files.find((file) => !testFile[runner].test(file))} changed, and ${runner} does not say which tests use it` };
}

/** A changed file as the suite sees it; none when it is not among what the suite reads. */
function ownPath(suite: ResolvedSuite, file: string): string[] {
  const prefix = suite.root === undefined ? "" : `${suite.root}/`;
  if (!file.startsWith(prefix)) return [];
  const path = file.slice(prefix.length);
  const read = [...suite.sources, ...suite.manifests].some((source) => {
    if (source === "./") return true;
    return source.endsWith("/") ? path.startsWith(source) : path === source || source.includes("*");
  });
  return read ? [path] : [];
}

const isManifest = (suite: ResolvedSuite, file: string): boolean =>
  suite.manifests.includes(file) || /(^|\/)(package\.json|tsconfig[^/]*\.json|pyproject\.toml|conftest\.py|[^/]*\.config\.[cm]?[jt]s)$/.test(file);

function relativeTo(suite: ResolvedSuite, file: string): string | undefined {
  const cwd = suite.cwd === suite.workdir ? "" : `${suite.cwd.slice(suite.workdir.length + 1)}/`;
  return file.startsWith(cwd) ? file.slice(cwd.length) : undefined;
}

const packagesOf = (files: readonly string[]): string[] =>
  [...new Set(files.map((file) => (file.includes("/") ? `./${file.slice(0, file.lastIndexOf("/"))}` : ".")))].toSorted();
