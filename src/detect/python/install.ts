/** Installation of a Python project's dependencies, depending on what pins them. */
import { presets } from "../../config/index.ts";
import { below } from "../files.ts";
import { shellWord } from "../../text/index.ts";
import type { DetectedSuite, ProjectFiles } from "../types.ts";
import { hatchEnvironment, toxEnvironment } from "./environments.ts";
import type { Pyproject } from "./pyproject.ts";
import { constraintFiles, ownExtras, requirementFiles, setupExtras, withoutItself } from "./requirements.ts";

export const venv = "/opt/venv";

export interface How {
  preset: DetectedSuite["preset"];
  image?: false;
  manifests?: string[];
  install?: string[];
  /** Commands before each tier that need the sources. */
  before: string[];
}

const testNames = /^(?:tests?|testing|all-?tests?|ci|pytest)$/;
const devNames = /^(?:dev|develop)$/;

/**
 * Returns the names for tests. A name for all developer tools, which include linters and documentation, is used only if
 * there are none.
 */
const forTests = (names: readonly string[]): string[] => {
  const tests = names.filter((name) => testNames.test(name));
  return tests.length > 0 ? tests : names.filter((name) => devNames.test(name));
};

const wanted = (names: readonly string[], flag: string): string =>
  forTests(names)
    .map((name) => ` --${flag} ${name}`)
    .join("");

/**
 * The project itself is installed with the sources, for its metadata and entry points. `members` are those of its
 * workspace.
 */
export function uv({ isUvWorkspace, isBuilt, ...root }: Pyproject, members: readonly Pyproject[]): How {
  const ofAll = (key: "extras" | "groups"): string[] => [...new Set([root, ...members].flatMap((each) => each[key]))];
  const [extras, groups] = [ofAll("extras"), ofAll("groups")];
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
    // `--inexact` keeps packages outside the lock file, such as a pytest that was installed in addition.
    before: isBuilt || isUvWorkspace ? [`${sync} --inexact --quiet`] : [],
  };
}

export function poetry({ extras, poetryGroups }: Pyproject): How {
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

export function pdm(): How {
  return {
    preset: "pip",
    manifests: ["pyproject.toml", "pdm.lock"],
    install: [
      `python3 -m venv ${venv}`,
      "python3 -m venv /opt/pdm",
      // Installs pdm with the dependencies of its release, as newer ones have broken it before.
      "/opt/pdm/bin/pip install --disable-pip-version-check 'pdm[locked]'",
      "/opt/pdm/bin/pdm sync --no-self -G :all --no-isolation || /opt/pdm/bin/pdm sync --no-self -G :all",
    ],
    before: [`${venv}/bin/pip install --disable-pip-version-check --quiet --no-deps --editable .`],
  };
}

/** For a single list of requirements the preset suffices, unless pytest is missing from it. */
export function plain(read: (file: string) => string, pytest: boolean): How {
  const isNamed = !pytest || /^pytest\b/m.test(read("requirements.txt"));
  return {
    preset: "pip",
    install: isNamed
      ? undefined
      : [...presets.pip.install, `${venv}/bin/pip install --disable-pip-version-check pytest`],
    before: [],
  };
}

/**
 * Without a lock file, the dependencies in the manifests form a layer, and the project itself is installed with its
 * sources.
 */
export function unlocked(
  files: ProjectFiles,
  folder: string,
  project: Pyproject,
  read: (file: string) => string,
  there: (file: string) => boolean,
  pytest: boolean,
): How {
  const environments = [hatchEnvironment(read), toxEnvironment(read)];
  const requirements = [
    ...new Set([...requirementFiles(below(files, folder)), ...environments.flatMap((each) => each.files)]),
  ].filter(there);
  const lists = requirements.map((file) => ({ file, extras: ownExtras(read(file)) }));
  // uv reads the dependencies of a pyproject.toml without building anything, which pip cannot.
  const isListed = project.listsDependencies;
  const own = [...project.extras, ...setupExtras(read("setup.cfg"))];
  const chosen = (all: readonly string[], named: readonly string[]): string[] => [
    ...new Set([...forTests(all), ...named.filter((name) => all.includes(name))]),
  ];
  const extras = chosen(own, [
    ...environments.flatMap((each) => each.extras),
    ...lists.flatMap((list) => list.extras ?? []),
  ]);
  const groups = chosen(
    project.groups,
    environments.flatMap((each) => each.groups),
  );
  const words = [...new Set(environments.flatMap((each) => each.requirements))];
  const flags = (names: readonly string[], flag: string): string => names.map((name) => ` --${flag} ${name}`).join("");
  const install = [
    `python3 -m venv ${venv}`,
    `${venv}/bin/pip install --disable-pip-version-check uv`,
    ...(isListed ? [`uv pip install -r pyproject.toml${flags(extras, "extra")}`] : []),
    ...(groups.length === 0 ? [] : [`uv pip install${flags(groups, "group")}`]),
    ...lists.map(({ file, extras: isItself }) =>
      isItself === undefined ? `uv pip install -r ${file}` : withoutItself(file),
    ),
    ...(words.length === 0 ? [] : [`uv pip install ${words.map(shellWord).join(" ")}`]),
    ...(pytest ? ["python -c 'import pytest' 2>/dev/null || uv pip install pytest"] : []),
  ];
  const isPackage = there("setup.py") || there("setup.cfg") || project.isBuilt || isListed;
  // If only a build reveals the dependencies, they are installed with the project.
  const itself = isListed
    ? "--no-deps --editable ."
    : `--editable ${extras.length === 0 ? "." : `'.[${extras.join(",")}]'`}`;
  const manifests = [
    ...["pyproject.toml", "tox.ini", "tox.toml", "hatch.toml"].filter(there),
    ...requirements,
    ...constraintFiles(below(files, folder)),
  ];
  return { preset: "uv", manifests, install, before: isPackage ? [`uv pip install --quiet ${itself}`] : [] };
}
