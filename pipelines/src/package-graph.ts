import { posix } from "node:path";
import { testFile } from "./selection.ts";

/** Packages of a Go or Cargo project, the unit in which those runners select tests. */
export interface PackageGraph {
  packages: TestPackage[];
}

export interface TestPackage {
  name: string;
  /** Folder relative to the suite's cwd; empty for cwd itself. */
  folder: string;
  /** Names of the packages that its tests are built from, transitively, including itself. */
  reaches: ReadonlySet<string>;
  /** Its tests start processes, so they may run any package. */
  opaque: boolean;
}

/**
 * Lists packages and their test binaries: `IMPORT PATH|FOLDER|DEPENDENCIES|TEST IMPORTS`, after a line with the cwd.
 */
export const goListing =
  'pwd && go list -e -test -f \'{{.ImportPath}}|{{.Dir}}|{{join .Deps ","}}|{{join .TestImports ","}},{{join .XTestImports ","}}\' ./...';

/** Builds the package graph from the output of `goListing`. */
export function goGraph(text: string): PackageGraph {
  const [cwd = "", ...lines] = text.trimEnd().split("\n");
  const rows = lines.map((line) => line.split("|") as [string, string, string, string]);
  const linked = new Map(
    rows.filter(([name]) => name.endsWith(".test")).map(([name, , deps]) => [name.slice(0, -5), plainNames(deps)]),
  );
  const packages = rows
    .filter(([name]) => !name.endsWith(".test") && !name.includes(" "))
    .map(([name, dir, deps, imports]) => ({
      name,
      folder: posix.relative(cwd, dir),
      reaches: new Set([...plainNames(deps), ...(linked.get(name) ?? []), name]),
      opaque: imports.split(",").includes("os/exec"),
    }));
  return { packages };
}

/**
 * Splits a list of import paths. `example.com/a [example.com/a.test]` is the package `example.com/a`, built for a test.
 */
const plainNames = (list: string): Set<string> => new Set(list.split(",").map((name) => name.split(" ")[0] ?? ""));

/** Prints the cwd, then the workspace's metadata. */
export const cargoListing = "pwd && cargo metadata --no-deps --offline --format-version 1";

interface CargoMetadata {
  packages: { name: string; manifest_path: string; dependencies: { name: string; path?: string }[] }[];
}

/** Builds the package graph from the output of `cargoListing`. Only dependencies by path count. */
export function cargoGraph(text: string): PackageGraph {
  const end = text.indexOf("\n");
  const cwd = text.slice(0, end);
  const { packages } = JSON.parse(text.slice(end)) as CargoMetadata;
  const direct = new Map(
    packages.map(({ name, dependencies }) => [
      name,
      dependencies.filter(({ path }) => path !== undefined).map((each) => each.name),
    ]),
  );
  return {
    packages: packages.map(({ name, manifest_path }) => {
      const reaches = new Set([name]);
      for (const each of reaches) for (const next of direct.get(each) ?? []) reaches.add(next);
      return { name, folder: posix.relative(cwd, posix.dirname(manifest_path)), reaches, opaque: false };
    }),
  };
}

/**
 * Returns packages whose tests may reach a changed file's package; undefined if a changed file belongs to no package.
 */
export function packagesReaching({ packages }: PackageGraph, changed: readonly string[]): TestPackage[] | undefined {
  const owners = changed.map((file) => ownerOf(packages, file));
  if (owners.includes(undefined)) return undefined;
  const goals = new Set(owners.map((owner) => owner!.name));
  return packages.filter(({ reaches, opaque }) => opaque || [...reaches].some((name) => goals.has(name)));
}

/**
 * Returns the package with the deepest folder above the file. So a file in `testdata` belongs to the folder above it.
 */
function ownerOf(packages: readonly TestPackage[], file: string): TestPackage | undefined {
  const above = packages.filter(({ folder }) => folder === "" || file.startsWith(`${folder}/`));
  return above.toSorted((a, b) => b.folder.length - a.folder.length)[0];
}

/** Returns cargo's arguments for packages; only for the changed integration tests, if nothing else changed. */
export function cargoWords(packages: readonly TestPackage[], changed: readonly string[] = []): string[] {
  const names = packages.flatMap(({ name }) => ["-p", name]);
  const only = packages.length === 1 && changed.length > 0 && changed.every((file) => testFile.cargo.test(file));
  return only ? [...names, ...changed.flatMap((file) => ["--test", posix.basename(file, ".rs")])] : names;
}

/** Returns the arguments of `go test` for packages. */
export const goWords = (packages: readonly TestPackage[]): string[] =>
  packages.map(({ folder }) => (folder === "" ? "." : `./${folder}`));
