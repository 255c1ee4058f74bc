/** Reads the parts of pyproject.toml that installing and testing a project needs. */
import { parse } from "smol-toml";
import { mapOf } from "../files.ts";

export interface Pyproject {
  requiresPython: string;
  /** Names under `project.optional-dependencies` and `tool.poetry.extras`. */
  extras: string[];
  /** Names under `dependency-groups`. */
  groups: string[];
  poetryGroups: string[];
  /** Normalized name of the package; empty if it has none. */
  name: string;
  /** Names of the packages that it, its extras and its groups depend on. */
  dependencies: string[];
  isUvWorkspace: boolean;
  /** Patterns of folders, relative to the workspace's root. */
  uvMembers: string[];
  uvExcluded: string[];
  /** Folders in which pytest looks for tests. */
  testPaths: string[];
  /** Whether there is a build system, so that the project itself is installed. */
  isBuilt: boolean;
  /** Whether `project.dependencies` is complete without a build. */
  listsDependencies: boolean;
}

/** Parses a pyproject.toml; a missing or invalid one counts as empty. */
export function readPyproject(text: string): Pyproject {
  const whole = parsed(text);
  const project = table(whole["project"]);
  const tool = table(whole["tool"]);
  const poetry = table(tool["poetry"]);
  const dynamic = Array.isArray(project["dynamic"]) ? project["dynamic"] : [];
  const pytest = { ...table(tool["pytest"]), ...table(table(tool["pytest"])["ini_options"]) };
  const poetryPython = table(poetry["dependencies"])["python"];
  return {
    requiresPython: textOf(project["requires-python"]) || textOf(poetryPython),
    extras: [...Object.keys(table(project["optional-dependencies"])), ...Object.keys(table(poetry["extras"]))],
    groups: Object.keys(table(whole["dependency-groups"])),
    poetryGroups: Object.keys(table(poetry["group"])),
    name: packageName(textOf(project["name"])),
    dependencies: [
      ...texts(project["dependencies"]),
      ...Object.values(table(project["optional-dependencies"])).flatMap(texts),
      ...Object.values(table(whole["dependency-groups"])).flatMap(texts),
    ].map(packageName),
    isUvWorkspace: "workspace" in table(tool["uv"]),
    uvMembers: texts(table(table(tool["uv"])["workspace"])["members"]),
    uvExcluded: texts(table(table(tool["uv"])["workspace"])["exclude"]),
    testPaths: [pytest["testpaths"]]
      .flat()
      .flatMap((each) => textOf(each).split(/\s+/))
      .filter(Boolean),
    isBuilt: "build-system" in whole,
    listsDependencies: "name" in project && !dynamic.includes("dependencies"),
  };
}

/** Normalizes `My.Package[extra]>=1` to `my-package`, as different spellings name the same package. */
const packageName = (text: string): string =>
  (/^\s*([A-Za-z0-9._-]+)/.exec(text)?.[1] ?? "").toLowerCase().replaceAll(/[._-]+/g, "-");

function parsed(text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch {
    return {};
  }
}

const table = (value: unknown): Record<string, unknown> => mapOf(value) ?? {};
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === "string") : [];
