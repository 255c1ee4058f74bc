/** Python projects: uv, poetry, pdm, requirement files, and pyproject.toml or setup.cfg alone. */
import { satisfies, validRange } from "semver";
import { presets } from "../config/index.ts";
import { below, folderOf, has, isPart, joined, shellWord, suiteName } from "./files.ts";
import { inputsOf } from "./inputs.ts";
import { compilersOf, programsOfTests } from "./programs.ts";
import { constraintFiles, requirementFiles, setupExtras, toxDependencies } from "./requirements.ts";
import { readPyproject, type Pyproject } from "./pyproject.ts";
import type { DetectedSuite, Detection, ProjectFiles } from "./types.ts";

const manifests = ["uv.lock", "poetry.lock", "pdm.lock", "pyproject.toml", "setup.cfg", "setup.py", "requirements.txt"];
const venv = "/opt/venv";
/** Minors of Python 3 that have images, those that are taken first where nothing decides first. */
const minors = [11, 12, 13, 14, 10, 9];

export function detectPython(files: ProjectFiles, available: readonly number[] = []): Detection {
  const folders = [...new Set(files.list.filter((file) => manifests.includes(file.split("/").at(-1)!)).map(folderOf))]
    .filter(isPart)
    .toSorted((a, b) => a.length - b.length);
  const members = new Set(
    folders.filter((folder) => folders.some((other) => other !== folder && isUvMember(files, other, folder))),
  );
  const found = folders.filter((folder) => !members.has(folder)).map((folder) => suiteOf(files, folder, available));
  const suites = found.flatMap(({ suite }) => (suite === undefined ? [] : [suite]));
  return {
    suites,
    packages: suites.flatMap(({ folder }) => [...programsOfTests(files, folder), ...compilersOf(files, folder)]),
    notes: found.flatMap(({ notes }) => notes),
  };
}

/** Members of uv's workspaces are tested from its root, with its lock file. */
function isUvMember(files: ProjectFiles, root: string, folder: string): boolean {
  return (
    has(files, joined(root, "uv.lock")) &&
    !has(files, joined(folder, "uv.lock")) &&
    readPyproject(files.read(joined(root, "pyproject.toml"))).isUvWorkspace &&
    (root === "" || folder.startsWith(`${root}/`))
  );
}

function suiteOf(
  files: ProjectFiles,
  folder: string,
  available: readonly number[],
): { suite?: DetectedSuite; notes: string[] } {
  const read = (file: string): string => files.read(joined(folder, file));
  const there = (file: string): boolean => has(files, joined(folder, file));
  const inside = below(files, folder);
  const isRequirements = !there("pyproject.toml") && !there("setup.py") && !there("setup.cfg");
  const because = manifests.find(there)!;
  const hasTests = inside.some((file) =>
    /(?:^|\/)(?:tests?\/|test_[^/]*\.py$|[^/]*_test\.py$|conftest\.py$)/.test(file),
  );
  if (!hasTests) {
    if (isRequirements && !inside.some((file) => file.endsWith(".py"))) return { notes: [] };
    const notes = [`${joined(folder, because)}: no tests were found; the sources are compiled as a check`];
    return { notes, suite: assembled(files, folder, because, available, { compileOnly: true, pytest: false }) };
  }
  // Django's own runner makes its databases. Else pytest, which runs unittest's tests as well, and fails where it finds none.
  const ownRunner =
    there("manage.py") &&
    !/\bpytest\b/.test(
      [read("pyproject.toml"), read("setup.cfg"), read("tox.ini"), ...requirementFiles(inside).map(read)].join("\n"),
    );
  const requires = readPyproject(read("pyproject.toml")).requiresPython || requiresPython(read("setup.cfg"));
  const notes =
    pythonMinor(read(".python-version"), requires, available) === undefined
      ? [
          `${joined(folder, because)}: no Python that there is an image of satisfies \`${requires}\`: 3.11 is taken; \`image\` of the suite names another`,
        ]
      : [];
  return { notes, suite: assembled(files, folder, because, available, { compileOnly: false, pytest: !ownRunner }) };
}

interface Wanted {
  compileOnly: boolean;
  pytest: boolean;
}

function assembled(
  files: ProjectFiles,
  folder: string,
  because: string,
  available: readonly number[],
  { compileOnly, pytest }: Wanted,
): DetectedSuite {
  const read = (file: string): string => files.read(joined(folder, file));
  const there = (file: string): boolean => has(files, joined(folder, file));
  const project = readPyproject(read("pyproject.toml"));
  const image = pythonImage(
    read(".python-version"),
    project.requiresPython || requiresPython(read("setup.cfg")),
    available,
  );
  const test = compileOnly ? undefined : pytest ? "python -m pytest $TEST_ARGS" : "python manage.py test";
  const how =
    because === "uv.lock"
      ? uv(project)
      : because === "poetry.lock"
        ? poetry(project)
        : because === "pdm.lock"
          ? pdm()
          : because === "requirements.txt" && requirementFiles(below(files, folder)).length === 1
            ? plain(read, pytest)
            : unlocked(files, folder, project, read, there, pytest);
  // Versions from git's tags: a tree in a container has no history.
  const env = /setuptools[-_]scm|hatch-vcs|versioneer|poetry-dynamic-versioning|pbr\b|source\s*=\s*"scm"/.test(
    read("pyproject.toml") + read("setup.cfg") + read("setup.py"),
  )
    ? {
        SETUPTOOLS_SCM_PRETEND_VERSION: "0.0.0",
        PBR_VERSION: "0.0.0",
        PDM_BUILD_SCM_VERSION: "0.0.0",
        POETRY_DYNAMIC_VERSIONING_BYPASS: "0.0.0",
      }
    : undefined;
  const locked = ["uv.lock", "poetry.lock", "pdm.lock"].includes(because);
  if (locked && pytest && !/\bpytest\b/.test(read(because)))
    how.install?.push(`${venv}/bin/pip install --disable-pip-version-check pytest`);
  const tiers: DetectedSuite["tiers"] =
    test === undefined ? { smoke: ["python -m compileall -q ."] } : { fast: [...how.before, test] };
  return {
    name: folder === "" ? "app" : suiteName(folder.split("/").at(-1)!),
    folder,
    preset: how.preset,
    because: joined(folder, because),
    alone: folder !== "",
    image: how.image === false ? undefined : image,
    manifests: how.manifests,
    install: how.install,
    env,
    runner: pytest && !compileOnly ? "pytest" : undefined,
    tiers,
    needs: [],
    inputs: folder === "" ? inputsOf(files, { own: "", needed: [], others: [] }) : undefined,
  };
}

interface How {
  preset: DetectedSuite["preset"];
  image?: false;
  manifests?: string[];
  install?: string[];
  /** Before each tier: what needs the sources. */
  before: string[];
}

const testNames = /^(?:tests?|testing|dev|develop|all-?tests?|ci|pytest)$/;
const wanted = (names: readonly string[], flag: string): string =>
  names
    .filter((name) => testNames.test(name))
    .map((name) => ` --${flag} ${name}`)
    .join("");

/** The project itself is installed with the sources, for its metadata and entry points. */
function uv({ extras, groups, isUvWorkspace, isBuilt }: Pyproject): How {
  const sync = `uv sync --frozen${isUvWorkspace ? " --all-packages" : ""}${wanted(extras, "extra")}${wanted(
    groups.filter((name) => name !== "dev"),
    "group",
  )}`;
  return {
    preset: "uv",
    manifests: [isUvWorkspace ? "**/pyproject.toml" : "pyproject.toml", "uv.lock"],
    install: [
      `python3 -m venv ${venv}`,
      `${venv}/bin/pip install --disable-pip-version-check uv`,
      `${sync} ${isUvWorkspace ? "--no-install-workspace" : "--no-install-project"}`,
    ],
    before: isBuilt || isUvWorkspace ? [`${sync} --quiet`] : [],
  };
}

function poetry({ extras, poetryGroups }: Pyproject): How {
  const flags = `${extras.length > 0 ? " --all-extras" : ""}${wanted(
    poetryGroups.filter((name) => name !== "dev"),
    "with",
  )}`;
  return {
    preset: "poetry",
    manifests: ["pyproject.toml", "poetry.lock"],
    install: [
      `python3 -m venv ${venv}`,
      "python3 -m venv /opt/poetry",
      "/opt/poetry/bin/pip install --disable-pip-version-check poetry",
      `/opt/poetry/bin/poetry install --no-root --no-interaction${flags}`,
    ],
    before: ["/opt/poetry/bin/poetry install --only-root --no-interaction --quiet"],
  };
}

function pdm(): How {
  return {
    preset: "pip",
    manifests: ["pyproject.toml", "pdm.lock"],
    install: [
      `python3 -m venv ${venv}`,
      "python3 -m venv /opt/pdm",
      // With the dependencies that it was released with: newer ones have broken it before.
      "/opt/pdm/bin/pip install --disable-pip-version-check 'pdm[locked]'",
      "/opt/pdm/bin/pdm sync --no-self -G :all --no-isolation || /opt/pdm/bin/pdm sync --no-self -G :all",
    ],
    before: [`${venv}/bin/pip install --disable-pip-version-check --quiet --no-deps --editable .`],
  };
}

/** A list of requirements and nothing else: the preset knows how, unless pytest is missing in it. */
function plain(read: (file: string) => string, pytest: boolean): How {
  const isNamed = !pytest || /^pytest\b/m.test(read("requirements.txt"));
  return {
    preset: "pip",
    install: isNamed
      ? undefined
      : [...presets.pip.install, `${venv}/bin/pip install --disable-pip-version-check pytest`],
    before: [],
  };
}

/** Without a lock file: what the manifests ask for is a layer, the project itself is installed with its sources. */
function unlocked(
  files: ProjectFiles,
  folder: string,
  project: Pyproject,
  read: (file: string) => string,
  there: (file: string) => boolean,
  pytest: boolean,
): How {
  const requirements = requirementFiles(below(files, folder));
  // uv reads a pyproject.toml's dependencies without building anything, which pip can't.
  const isListed = project.listsDependencies;
  const groups = wanted(project.groups, "group");
  const extras = wanted(project.extras, "extra");
  const words = [...project.hatchDependencies, ...toxDependencies(read("tox.ini"))];
  const install = [
    `python3 -m venv ${venv}`,
    `${venv}/bin/pip install --disable-pip-version-check uv`,
    ...(isListed ? [`uv pip install -r pyproject.toml${extras}`] : []),
    ...(groups === "" ? [] : [`uv pip install${groups}`]),
    ...requirements.map((file) => `uv pip install -r ${file}`),
    ...(words.length === 0 ? [] : [`uv pip install ${words.map(shellWord).join(" ")}`]),
    ...(pytest ? ["python -c 'import pytest' 2>/dev/null || uv pip install pytest"] : []),
  ];
  const isPackage = there("setup.py") || there("setup.cfg") || project.isBuilt || isListed;
  // Where only the build can tell the dependencies, they come with the project.
  const dynamicExtras = [...project.extras, ...setupExtras(read("setup.cfg"))]
    .filter((name) => testNames.test(name))
    .join(",");
  const itself = isListed
    ? "--no-deps --editable ."
    : `--editable ${dynamicExtras === "" ? "." : `'.[${dynamicExtras}]'`}`;
  const manifests = [
    ...["pyproject.toml", "tox.ini"].filter(there),
    ...requirements,
    ...constraintFiles(below(files, folder)),
  ];
  return { preset: "uv", manifests, install, before: isPackage ? [`uv pip install --quiet ${itself}`] : [] };
}

const requiresPython = (text: string): string => /^\s*python_requires\s*=\s*([^\n]+)/m.exec(text)?.[1]?.trim() ?? "";

/** The image of the Python that a project pins or allows; undefined: the preset's. */
function pythonImage(pinned: string, requires: string, available: readonly number[]): string | undefined {
  const minor = pythonMinor(pinned, requires, available) ?? 11;
  return minor === 11 ? undefined : `python:3.${minor}-slim-bookworm`;
}

/** Undefined where none that there is an image of will do. */
function pythonMinor(pinned: string, requires: string, available: readonly number[]): number | undefined {
  const exact = /^(?:cpython-)?3\.(\d+)/.exec(pinned.trim())?.[1];
  const range = requires
    .replaceAll(/\s/g, "")
    .split(",")
    .map((part) =>
      part
        .replace(/^~=(\d+)\.(\d+).*$/, ">=$1.$2 <4")
        .replace(/^==(\d+\.\d+)\.\*$/, "~$1")
        .replace(/^!=.*$/, "")
        .replace(/\.\*$/, ""),
    )
    .join(" ");
  const allows = (minor: number): boolean =>
    validRange(range) === null || satisfies(`3.${minor}.99`, range) || satisfies(`3.${minor}.0`, range);
  return exact !== undefined && (available.length === 0 || available.includes(Number(exact)))
    ? Number(exact)
    : [...available, ...minors].find(allows);
}
