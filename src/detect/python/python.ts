/** Detects Python projects: uv, poetry, pdm, requirement files, and pyproject.toml or setup.cfg alone. */
import { below, folderNames, folderOf, has, isPart, joined, withoutCircles } from "../files.ts";
import { shellWord } from "../../text/index.ts";
import { inputsOf } from "../inputs.ts";
import { compilersOf, gitOf, programsOfTests } from "../programs.ts";
import type { DetectedSuite, Detection, ProjectFiles } from "../types.ts";
import { pdm, plain, poetry, unlocked, uv, venv } from "./install.ts";
import { readPyproject } from "./pyproject.ts";
import { requirementFiles } from "./requirements.ts";
import { pythonImage, pythonOverride, requiresPython, unmetPython } from "./version.ts";
import { closureOf, uvMembers, type UvMember } from "./workspace.ts";

const manifests = ["uv.lock", "poetry.lock", "pdm.lock", "pyproject.toml", "setup.cfg", "setup.py", "requirements.txt"];

export function detectPython(files: ProjectFiles, available: readonly number[] = []): Detection {
  const folders = [...new Set(files.list.filter((file) => manifests.includes(file.split("/").at(-1)!)).map(folderOf))]
    .filter(isPart)
    .toSorted((a, b) => a.split("/").length - b.split("/").length || (a < b ? -1 : 1));
  const workspaces = new Map(folders.map((folder) => [folder, uvMembers(files, folder, folders)]));
  const members = new Set([...workspaces.values()].flat().map(({ folder }) => folder));
  const nameOf = folderNames(folders);
  const found = folders
    .filter((folder) => !members.has(folder))
    .flatMap((folder) => {
      const all = workspaces.get(folder)!;
      const parts = testedMembers(files, folder, all, folders);
      if (parts === undefined) return [suiteOf(files, folder, nameOf(folder), available, all)];
      return workspaceSuites(files, folder, parts, nameOf, available);
    });
  const suites = found.flatMap(({ suite }) => (suite === undefined ? [] : [suite]));
  return {
    suites: withoutCircles(suites),
    packages: [
      ...suites.flatMap(({ folder }) => [...programsOfTests(files, folder), ...compilersOf(files, folder)]),
      ...folders.flatMap((folder) => gitOf(files, folder)),
    ],
    notes: found.flatMap(({ notes }) => notes),
  };
}

/** As pytest and Django name them; other files beside them are helpers, or inputs of a test. */
const isTest = (file: string): boolean => /(?:^|\/)(?:test_[^/]*|[^/]*_test|tests?|conftest)\.py$/.test(file);

/** Reports whether pytest takes other names for tests, which its settings say. */
const namesTests = (read: (file: string) => string): boolean =>
  ["pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini"].some((file) => /\bpython_files\b/.test(read(file)));

interface Members {
  all: readonly UvMember[];
  tested: readonly UvMember[];
  /** Whether the workspace's root has tests besides those of its members. */
  rootHasTests: boolean;
}

/**
 * Returns undefined if the root is tested as a whole: no member has tests, or pytest's settings at the root include the
 * members.
 */
function testedMembers(
  files: ProjectFiles,
  root: string,
  all: readonly UvMember[],
  folders: readonly string[],
): Members | undefined {
  const isOf = (file: string, folder: string): boolean => `${file}/`.startsWith(`${folder}/`);
  const inRoot = below(files, root).map((file) => joined(root, file));
  const { testPaths } = readPyproject(files.read(joined(root, "pyproject.toml")));
  const looksInside = testPaths
    .map((place) => joined(root, place.replace(/\/$/, "")))
    .some((place) => place.includes("*") || all.some(({ folder }) => isOf(place, folder) || isOf(folder, place)));
  const tested = all.filter(({ folder }) => inRoot.some((file) => isOf(file, folder) && isTest(file)));
  if (tested.length === 0 || looksInside) return undefined;
  const others = folders.filter((folder) => folder !== root && (root === "" || isOf(folder, root)));
  const rootHasTests = inRoot.some((file) => isTest(file) && !others.some((folder) => isOf(file, folder)));
  return { all, tested, rootHasTests };
}

/** Returns a suite for each member with tests, and one for the root if it has its own; all are installed together. */
function workspaceSuites(
  files: ProjectFiles,
  root: string,
  { all, tested, rootHasTests }: Members,
  nameOf: (folder: string) => string,
  available: readonly number[],
): { suite?: DetectedSuite; notes: string[] }[] {
  const base = suiteOf(files, root, nameOf(root), available, all);
  const before = base.suite?.tiers.fast?.slice(0, -1) ?? [];
  const inRoot = (folder: string): string => (root === "" ? folder : folder.slice(root.length + 1));
  const inputs = (own: string, needed: readonly string[]): string[] | undefined => {
    const found = inputsOf(
      { list: below(files, root), read: (file) => files.read(joined(root, file)) },
      { own: inRoot(own), needed: needed.map(inRoot), others: all.map(({ folder }) => inRoot(folder)) },
    );
    if (root === "") return found;
    return found?.map((entry) => (entry.startsWith("!") ? `!${root}/${entry.slice(1)}` : `${root}/${entry}`));
  };
  const suites = tested.map(({ folder, needs }) => {
    const needed = closureOf(needs, all).filter((other) => other !== folder);
    return {
      ...base.suite!,
      name: nameOf(folder),
      folder,
      alone: root !== "",
      ...(root === "" ? {} : { root }),
      tiers: { fast: [...before, `(cd ${shellWord(inRoot(folder))} && python -m pytest $TEST_ARGS)`] },
      needs: needs.filter((other) => tested.some((each) => each.folder === other)).map(nameOf),
      inputs: inputs(folder, needed),
    };
  });
  const ignored = tested.map(({ folder }) => ` --ignore=${shellWord(inRoot(folder))}`).join("");
  const own = {
    ...base.suite!,
    tiers: { fast: [...before, `python -m pytest${ignored} $TEST_ARGS`] },
  };
  const notes = all
    .filter((member) => !tested.includes(member))
    .map(({ folder }) => `${joined(folder, "pyproject.toml")}: no tests were found, and it is not covered by itself`);
  return [
    { suite: rootHasTests ? own : undefined, notes: [...base.notes, ...notes] },
    ...suites.map((suite) => ({ suite, notes: [] })),
  ];
}

function suiteOf(
  files: ProjectFiles,
  folder: string,
  name: string,
  available: readonly number[],
  members: readonly UvMember[],
): { suite?: DetectedSuite; notes: string[] } {
  const read = (file: string): string => files.read(joined(folder, file));
  const there = (file: string): boolean => has(files, joined(folder, file));
  const inside = below(files, folder);
  const isRequirements = !there("pyproject.toml") && !there("setup.py") && !there("setup.cfg");
  const because = manifests.find(there)!;
  const hasTests = inside.some(isTest) || (namesTests(read) && inside.some((file) => file.endsWith(".py")));
  if (!hasTests) {
    if (isRequirements && !inside.some((file) => file.endsWith(".py"))) return { notes: [] };
    const notes = [`${joined(folder, because)}: no tests were found; the sources are compiled as a check`];
    return {
      notes,
      suite: assembled(files, folder, name, because, available, members, { compileOnly: true, pytest: false }),
    };
  }
  // Django's own runner creates its databases. Otherwise pytest is used, which also runs unittest's tests and fails if
  // it finds none.
  const ownRunner =
    there("manage.py") &&
    !/\bpytest\b/.test(
      [read("pyproject.toml"), read("setup.cfg"), read("tox.ini"), ...requirementFiles(inside).map(read)].join("\n"),
    );
  const requires = requiredBy(files, folder, members);
  const unmet = unmetPython(read(".python-version"), requires, available);
  return {
    notes: unmet === undefined ? [] : [`${joined(folder, because)}: ${unmet}`],
    suite: assembled(files, folder, name, because, available, members, { compileOnly: false, pytest: !ownRunner }),
  };
}

/** Returns what a project, or all packages of a workspace, require of Python. */
function requiredBy(files: ProjectFiles, folder: string, members: readonly UvMember[]): string {
  const manifestsOf = [{ folder }, ...members].map((each) => files.read(joined(each.folder, "pyproject.toml")));
  const ranges = manifestsOf.map((text) => readPyproject(text).requiresPython).filter(Boolean);
  return ranges.join(",") || requiresPython(files.read(joined(folder, "setup.cfg")));
}

const versionStandIns = {
  SETUPTOOLS_SCM_PRETEND_VERSION: "0.0.0",
  PBR_VERSION: "0.0.0",
  PDM_BUILD_SCM_VERSION: "0.0.0",
  POETRY_DYNAMIC_VERSIONING_BYPASS: "0.0.0",
  UV_DYNAMIC_VERSIONING_BYPASS: "0.0.0",
};

interface Wanted {
  compileOnly: boolean;
  pytest: boolean;
}

function assembled(
  files: ProjectFiles,
  folder: string,
  name: string,
  because: string,
  available: readonly number[],
  members: readonly UvMember[],
  { compileOnly, pytest }: Wanted,
): DetectedSuite {
  const read = (file: string): string => files.read(joined(folder, file));
  const there = (file: string): boolean => has(files, joined(folder, file));
  const project = readPyproject(read("pyproject.toml"));
  const ofMembers = members.map((member) => files.read(joined(member.folder, "pyproject.toml")));
  const image = pythonImage(read(".python-version"), requiredBy(files, folder, members), available);
  const test = compileOnly ? undefined : pytest ? "python -m pytest $TEST_ARGS" : "python manage.py test";
  const how =
    because === "uv.lock"
      ? uv(project, ofMembers.map(readPyproject))
      : because === "poetry.lock"
        ? poetry(project)
        : because === "pdm.lock"
          ? pdm()
          : because === "requirements.txt" && requirementFiles(below(files, folder)).length === 1
            ? plain(read, pytest)
            : unlocked(files, folder, project, read, there, pytest);
  // Versions derived from git tags need a stand-in, as a tree in a container has no history.
  const isVersioned =
    /setuptools[-_]scm|hatch-vcs|versioneer|uv-dynamic-versioning|poetry-dynamic-versioning|pbr\b|source\s*=\s*"scm"/.test(
      [read("pyproject.toml"), read("setup.cfg"), read("setup.py"), ...ofMembers].join("\n"),
    );
  const python =
    how.preset === "uv"
      ? pythonOverride(read(".python-version"), requiredBy(files, folder, members), available)
      : undefined;
  const env = { ...(isVersioned ? versionStandIns : {}), ...(python === undefined ? {} : { UV_PYTHON: python }) };
  const locked = ["uv.lock", "poetry.lock", "pdm.lock"].includes(because);
  if (locked && pytest && !/\bpytest\b/.test(read(because)))
    how.install?.push(`${venv}/bin/pip install --disable-pip-version-check pytest`);
  const tiers: DetectedSuite["tiers"] =
    test === undefined ? { smoke: ["python -m compileall -q ."] } : { fast: [...how.before, test] };
  return {
    name,
    folder,
    preset: how.preset,
    because: joined(folder, because),
    alone: folder !== "",
    image: how.image === false ? undefined : image,
    manifests: how.manifests,
    install: how.install,
    env: Object.keys(env).length === 0 ? undefined : env,
    runner: pytest && !compileOnly ? "pytest" : undefined,
    tiers,
    needs: [],
    inputs: folder === "" ? inputsOf(files, { own: "", needed: [], others: [] }) : undefined,
  };
}
