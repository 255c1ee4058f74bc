/** Detects Go modules and Rust crates, alone or in a workspace. */
import { parse } from "smol-toml";
import { isWithin } from "../paths/index.ts";
import { hasInOrder } from "../text/index.ts";
import {
  folderNames,
  folderOf,
  has,
  isPart,
  joined,
  memberMatcher,
  named,
  suiteName,
  withoutCircles,
  workflowsOf,
} from "./files.ts";
import { inputsOf } from "./inputs.ts";
import type { DetectedSuite, Detection, ProjectFiles } from "./types.ts";

export function detectGo(files: ProjectFiles): Detection {
  const modules = named(files, "go.mod").map(folderOf).filter(isPart);
  const workspace = has(files, "go.work") ? usedBy(files.read("go.work")) : undefined;
  const names = new Map(
    modules.map((folder) => [/^module\s+(\S+)/m.exec(files.read(joined(folder, "go.mod")))?.[1] ?? folder, folder]),
  );
  const requiresOf = new Map(
    modules.map((folder) => [
      folder,
      [...files.read(joined(folder, "go.mod")).matchAll(/^\s*(?:require\s+)?([^\s/]+\/\S+)\s+v/gm)]
        .flatMap((match) => names.get(match[1]!) ?? [])
        .filter((other) => other !== folder),
    ]),
  );
  const suites = modules.flatMap((folder) => {
    const nested = modules.filter((other) => other !== folder && isWithin(folder, other));
    const own = files.list.filter((file) => isWithin(folder, file) && !nested.some((other) => isWithin(other, file)));
    if (!own.some((file) => file.endsWith(".go") && isBuilt(files.read(file)))) return [];
    return [goSuite(files, folder, workspace, modules, requiresOf)];
  });
  return { suites: withoutCircles(suites), packages: [], notes: [] };
}

/** Returns the folders of the modules that go.work uses; Go refuses to test a module that it does not name. */
function usedBy(text: string): ReadonlySet<string> {
  const code = text.replaceAll(/\/\/.*/g, "");
  const lists = [...code.matchAll(/^use\s+(?:\(([^()]*)\)|(\S+))/gm)];
  const places = lists.flatMap(([, several, one = ""]) =>
    (several ?? one).split("\n").map((line) => line.trim().replaceAll('"', "")),
  );
  return new Set(places.filter(Boolean).map((place) => joined("", place).replace(/\/$/, "").replace(/^\.$/, "")));
}

/** Reports whether Go builds the file: not one that only lists tools for go.mod, or that is only started by hand. */
const isBuilt = (text: string): boolean => !/^\/\/(?:go:build| \+build) (?:tools|ignore)\s*$/m.test(text);

function goSuite(
  files: ProjectFiles,
  folder: string,
  workspace: ReadonlySet<string> | undefined,
  modules: readonly string[],
  requiresOf: ReadonlyMap<string, readonly string[]>,
): DetectedSuite {
  // A module that another one replaces by a folder cannot be tested without that folder.
  const isUsed = workspace?.has(folder) === true;
  const local =
    isUsed ||
    /^\s*(?:replace\s+)?\S+(?:\s+v\S+)?\s+=>\s+\.{1,2}(?:\/|\s*$)/m.test(files.read(joined(folder, "go.mod")));
  const inModule = (command: string): string => (local && folder !== "" ? `(cd ${folder} && ${command})` : command);
  const nameOf = folderNames(modules);
  const needed = new Set(local ? requiresOf.get(folder) : []);
  for (const other of needed) for (const next of requiresOf.get(other) ?? []) needed.add(next);
  return {
    name: nameOf(folder),
    folder,
    preset: "go",
    because: joined(folder, "go.mod"),
    alone: folder !== "" && !local,
    manifests: local ? [...(isUsed ? ["go.work", "go.work.sum"] : []), "**/go.mod", "**/go.sum"] : undefined,
    // In a workspace Go asks a proxy even for the workspace's own modules; what this step cannot fetch, the tests
    // fetch.
    install: local ? [inModule(`GOMODCACHE=/var/cache/go-mod go mod download${isUsed ? " || true" : ""}`)] : undefined,
    env: {
      ...(local ? { GOMODCACHE: "/var/cache/go-mod" } : {}),
      ...(workspace !== undefined && !isUsed && (local || folder === "") ? { GOWORK: "off" } : {}),
    },
    runner: "go",
    tiers: {
      smoke: [inModule("go vet ./...")],
      fast: [inModule("go test -short ${TEST_ARGS:-./...}")],
      full: [inModule("go test ${TEST_ARGS:-./...}")],
    },
    needs: local ? (requiresOf.get(folder) ?? []).map(nameOf) : [],
    inputs: inputsOf(files, {
      own: folder,
      needed: [...needed].filter((other) => other !== "" && other !== folder),
      // In a workspace a module may import any other one without declaring it.
      others: folder === "" && isUsed ? [] : modules.filter((other) => other !== ""),
    }),
  };
}

export function detectRust(files: ProjectFiles): Detection {
  const all = named(files, "Cargo.toml").map(folderOf).filter(isPart);
  const extensions = all.filter((folder) => isPythonExtension(files, folder));
  const crates = all.filter((folder) => !extensions.includes(folder));
  const roots = crates.filter(
    (folder) =>
      !crates.some(
        (other) =>
          other !== folder &&
          isWithin(other, folder) &&
          /^\[workspace\]/m.test(files.read(joined(other, "Cargo.toml"))),
      ),
  );
  const suites = roots.flatMap((folder): DetectedSuite[] => {
    const pinned =
      /^\s*channel\s*=\s*["']([^"']+)/m.exec(files.read(joined(folder, "rust-toolchain.toml")))?.[1] ??
      files.read(joined(folder, "rust-toolchain")).trim();
    const version = /^\d+\.\d+(?:\.\d+)?$/.test(pinned) ? pinned : undefined;
    const image = version === undefined ? undefined : `rust:${version}-bookworm`;
    const members = folder === "" ? cargoMembers(files, crates) : [];
    const found =
      members.length > 1
        ? members.map((member) => memberSuite(files, member, members, image))
        : [crateSuite(files, folder, image)];
    return testsAllFeatures(files) ? found.map(withAllFeatures) : found;
  });
  const tested = new Set(suites.map(({ folder }) => folder));
  const notes = [
    ...(tested.size > 1
      ? crates
          .filter((folder) => folder !== "" && !tested.has(folder))
          .map((folder) => `${folder}: no member of the workspace in Cargo.toml, and not covered`)
      : []),
    ...extensions.map((folder) => `${joined(folder, "Cargo.toml")}: the module of pyproject.toml, whose tests test it`),
  ];
  return { suites: withoutCircles(suites), packages: [], notes };
}

/**
 * Reports whether maturin builds the crate for Python, without which it cannot be linked. A crate that CI tests with
 * cargo is testable, so it does not count.
 */
const isPythonExtension = (files: ProjectFiles, folder: string): boolean =>
  /^build-backend\s*=\s*["']maturin["']/m.test(files.read(joined(folder, "pyproject.toml"))) &&
  !workflowsOf(files).some((text) => /\bcargo (?:\+\S+ )?(?:test|nextest run)\b/.test(text));

/** Reports whether the repository's own CI tests with all features, as its tests may only work that way. */
const testsAllFeatures = (files: ProjectFiles): boolean =>
  [
    ...workflowsOf(files),
    ...files.list.filter((file) => /^ci\/[^/]+\.sh$/.test(file)).map((file) => files.read(file)),
  ].some((text) => hasInOrder(text.split("\n"), /\bcargo (?:\+\S+ )?(?:test|nextest run)\b/, /--all-features\b/));

/** The layer of dependencies is compiled with all features too. */
const withAllFeatures = (suite: DetectedSuite): DetectedSuite => ({
  ...suite,
  env: { ...suite.env, CARGO_FEATURES: "--all-features" },
  tiers: Object.fromEntries(
    Object.entries(suite.tiers).map(([tier, commands]) => [
      tier,
      commands.map((command) => command.replace(/\bcargo (?:check|test)\b/, "$& --all-features")),
    ]),
  ),
});

/** Suite of a single crate, or of a workspace as a whole. */
function crateSuite(files: ProjectFiles, folder: string, image: string | undefined): DetectedSuite {
  // A crate that depends on one beside it cannot be tested without that folder.
  const isLocal = folder !== "" && /\bpath\s*=\s*["']\.\.(?:\/|["'])/.test(files.read(joined(folder, "Cargo.toml")));
  const inCrate = (command: string): string[] => [isLocal ? `(cd ${folder} && ${command})` : command];
  return {
    name: folder === "" ? "app" : suiteName(folder.split("/").at(-1)!),
    folder,
    preset: "cargo",
    because: joined(folder, "Cargo.toml"),
    alone: folder !== "" && !isLocal,
    manifests: isLocal ? [] : undefined,
    install: isLocal ? [] : undefined,
    image,
    runner: "cargo",
    tiers: {
      smoke: inCrate("cargo check --workspace --tests"),
      fast: inCrate("cargo test --workspace $TEST_ARGS"),
    },
    needs: [],
    inputs: folder === "" ? inputsOf(files, { own: "", needed: [], others: [] }) : undefined,
  };
}

interface Crate {
  folder: string;
  name: string;
  /** Folders of the crates that it depends on. */
  needs: string[];
  /** Folders of the crates that only its tests depend on; they may in turn depend on it. */
  testNeeds: string[];
}

/** Suite of a crate of the workspace at the root; the dependencies of all crates are compiled in one layer. */
function memberSuite(
  files: ProjectFiles,
  { folder, name, needs, testNeeds }: Crate,
  members: readonly Crate[],
  image: string | undefined,
): DetectedSuite {
  const others = members.map((member) => member.folder).filter((other) => other !== "");
  const nameOf = (place: string): string =>
    place === "" ? "app" : suiteName(members.find((member) => member.folder === place)!.name);
  return {
    name: nameOf(folder),
    folder,
    preset: "cargo",
    because: joined(folder, "Cargo.toml"),
    alone: false,
    image,
    runner: "cargo",
    // Arguments of the runner would apply to all crates.
    tiers: { smoke: [`cargo check -p ${name} --tests`], fast: [`cargo test -p ${name}`] },
    needs: [...needs, ...testNeeds.filter((other) => !reachable([other], members).includes(folder))]
      .filter((other) => members.some((member) => member.folder === other))
      .map(nameOf),
    inputs: inputsOf(files, {
      own: folder,
      needed: reachable([...needs, ...testNeeds], members).filter((other) => other !== "" && other !== folder),
      others,
    }),
  };
}

/** Returns the crates of the workspace at the root; none without a workspace. */
function cargoMembers(files: ProjectFiles, crates: readonly string[]): Crate[] {
  const root = tomlObject(files.read("Cargo.toml"));
  const workspace = root["workspace"];
  if (!isTable(workspace)) return [];
  const matcher = (key: string): ((folder: string) => boolean) => {
    const listed = Array.isArray(workspace[key]) ? workspace[key] : [];
    return memberMatcher(listed.filter((entry) => typeof entry === "string"));
  };
  const [isMember, isExcluded] = [matcher("members"), matcher("exclude")];
  const folders = crates.filter((folder) =>
    folder === "" ? isTable(root["package"]) : isMember(folder) && !isExcluded(folder),
  );
  const shared = pathsIn(workspace["dependencies"], "");
  return folders.flatMap((folder) => {
    const manifest = tomlObject(files.read(joined(folder, "Cargo.toml")));
    const name = isTable(manifest["package"]) ? manifest["package"]["name"] : undefined;
    if (typeof name !== "string" || !/^[\w-]+$/.test(name)) return [];
    const cratesIn = (...keys: string[]): string[] => {
      // Dependencies for some platforms only count as well, so that inputs do not depend on the platform.
      const platforms = isTable(manifest["target"]) ? Object.values(manifest["target"]).filter(isTable) : [];
      const tables = [manifest, ...platforms].flatMap((each) => keys.map((key) => each[key])).filter(isTable);
      const found = tables.flatMap((table) => [
        ...pathsIn(table, folder).values(),
        ...Object.entries(table).flatMap(([key, value]) =>
          isTable(value) && value["workspace"] === true ? (shared.get(key) ?? []) : [],
        ),
      ]);
      return [...new Set(found)].filter((other) => other !== folder && folders.includes(other));
    };
    const needs = cratesIn("dependencies", "build-dependencies");
    const testNeeds = cratesIn("dev-dependencies").filter((other) => !needs.includes(other));
    return [{ folder, name, needs, testNeeds }];
  });
}

/** Returns the dependencies that are crates of the repository, as name -> folder. */
function pathsIn(table: unknown, folder: string): Map<string, string> {
  return new Map(
    Object.entries(isTable(table) ? table : {}).flatMap(([name, value]) => {
      if (!isTable(value) || typeof value["path"] !== "string") return [];
      const place = joined(folder, value["path"]).replace(/\/$/, "");
      return [[name, place === "." ? "" : place] as const];
    }),
  );
}

/** Returns the crates in `from` and everything that they depend on. */
function reachable(from: readonly string[], members: readonly Crate[]): string[] {
  const found = new Set(from);
  for (const folder of found)
    for (const next of members.find((member) => member.folder === folder)?.needs ?? []) found.add(next);
  return [...found];
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns an empty object for invalid TOML, such as a template. */
function tomlObject(text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch {
    return {};
  }
}
