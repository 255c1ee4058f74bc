import { posix } from "node:path";
import { testFile } from "./selection.ts";

/** Packages of go or cargo, the unit that those runners are asked for. */
export interface PackageGraph {
  packages: TestPackage[];
}

export interface TestPackage {
  name: string;
  /** Folder relative to cwd; empty for cwd itself. */
  folder: string;
  /** Names of packages of the same project that its tests are built from, all the way down. */
  reaches: ReadonlySet<string>;
  /** Its tests start processes: they may run anything. */
  opaque: boolean;
}

/** A line for each package, and for each package's test binary with all that is linked into it. */
export const goListing =
  'pwd && go list -e -test -f \'{{.ImportPath}}|{{.Dir}}|{{join .Deps ","}}|{{join .TestImports ","}},{{join .XTestImports ","}}\' ./...';

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

/** `example.com/a [example.com/a.test]` is the package `example.com/a`, built for a test. */
const plainNames = (list: string): Set<string> => new Set(list.split(",").map((name) => name.split(" ")[0] ?? ""));

export const cargoListing = "pwd && cargo metadata --no-deps --offline --format-version 1";

interface CargoMetadata {
  packages: { name: string; manifest_path: string; dependencies: { name: string; path?: string }[] }[];
}

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

/** Packages whose tests are built from what changed; undefined when a changed file belongs to none. */
export function packagesReaching({ packages }: PackageGraph, changed: readonly string[]): TestPackage[] | undefined {
  const owners = changed.map((file) => ownerOf(packages, file));
  if (owners.includes(undefined)) return undefined;
  const goals = new Set(owners.map((owner) => owner!.name));
  return packages.filter(({ reaches, opaque }) => opaque || [...reaches].some((name) => goals.has(name)));
}

/** The package with the deepest folder above the file; what is in `testdata` belongs to the folder above. */
function ownerOf(packages: readonly TestPackage[], file: string): TestPackage | undefined {
  const above = packages.filter(({ folder }) => folder === "" || file.startsWith(`${folder}/`));
  return above.toSorted((a, b) => b.folder.length - a.folder.length)[0];
}

/** The words that ask cargo for these packages; for the named integration tests only, when nothing else changed. */
export function cargoWords(packages: readonly TestPackage[], changed: readonly string[] = []): string[] {
  const names = packages.flatMap(({ name }) => ["-p", name]);
  const only = packages.length === 1 && changed.length > 0 && changed.every((file) => testFile.cargo.test(file));
  return only ? [...names, ...changed.flatMap((file) => ["--test", posix.basename(file, ".rs")])] : names;
}

/** The words that ask go for these packages. */
export const goWords = (packages: readonly TestPackage[]): string[] =>
  packages.map(({ folder }) => (folder === "" ? "." : `./${folder}`));
