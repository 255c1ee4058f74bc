/** Reads what tox and hatch install into the environments in which they run tests. */
import { parse } from "smol-toml";
import { mapOf } from "../files.ts";

/** What an environment adds to the project's own dependencies. */
export interface Environment {
  requirements: string[];
  /** Requirement files, as written. */
  files: string[];
  extras: string[];
  groups: string[];
}

const table = (value: unknown): Record<string, unknown> => mapOf(value) ?? {};
const texts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((entry): entry is string => typeof entry === "string");

const plainRequirement = /^[A-Za-z][\w.-]*(?:\[[\w,.-]+\])?(?:\s*[<>=!~]=?[\w.*,<>=!~ -]+)?$/;
const requirementFile = /^(?:-r|--requirements?)[ \t=]*(?:\{tox_?ini_?dir\}\/|\.\/)?([\w][\w./-]*)$/;

function environment(deps: readonly string[], extras: readonly string[], groups: readonly string[]): Environment {
  const lines = deps.map((line) => line.trim());
  const name = /^[A-Za-z][\w.-]*$/;
  return {
    requirements: lines.filter((line) => plainRequirement.test(line)),
    files: lines.flatMap((line) => requirementFile.exec(line)?.[1] ?? []).filter((file) => !file.includes("..")),
    extras: extras.map((each) => each.trim()).filter((each) => name.test(each)),
    groups: groups.map((each) => each.trim()).filter((each) => name.test(each)),
  };
}

/**
 * Returns what tox installs for its tests, from `[testenv]` of a tox.ini, or from `env_run_base` of a tox.toml or
 * pyproject.toml. Lines with factors or substitutions need tox itself, and are left out.
 */
export function toxEnvironment(read: (file: string) => string): Environment {
  const section = /^\[testenv\]\s*\n((?:(?!\[\w)[^\n]*\n?)*)/m.exec(read("tox.ini"))?.[1] ?? "";
  const values = (key: string): string[] =>
    (new RegExp(String.raw`^${key}[ \t]*=((?:[^\n]*\n?)(?:[ \t]+[^\n]*\n?)*)`, "m").exec(section)?.[1] ?? "").split(
      "\n",
    );
  const words = (key: string): string[] => values(key).flatMap((line) => line.split(/[\s,]+/));
  const toml = table(
    parsed(read("tox.toml"))["env_run_base"] ??
      table(table(parsed(read("pyproject.toml"))["tool"])["tox"])["env_run_base"],
  );
  return environment(
    [...values("deps"), ...texts(toml["deps"])],
    [...words("extras"), ...texts(toml["extras"])],
    [...words("dependency_groups"), ...texts(toml["dependency_groups"])],
  );
}

/** What `hatch test` adds to each environment. */
const ofHatchTest = ["pytest", "pytest-mock", "pytest-rerunfailures", "pytest-xdist[psutil]"];
const testNames = /^(?:hatch-test|tests?|testing|cov|coverage|ci|pytest)$/;

/**
 * Returns what hatch installs for its tests, from the environments for tests and the default one, which they inherit
 * from; from all if none is for tests.
 */
export function hatchEnvironment(read: (file: string) => string): Environment {
  const environments = {
    ...table(table(table(parsed(read("pyproject.toml"))["tool"])["hatch"])["envs"]),
    ...table(parsed(read("hatch.toml"))["envs"]),
  };
  const all = Object.entries(environments).map(([name, value]) => ({ name, value: table(value) }));
  const isForTests = ({ name, value }: (typeof all)[number]): boolean =>
    testNames.test(name) || /\bpytest\b|\bunittest\b/.test(JSON.stringify(value["scripts"] ?? ""));
  const chosen = all.some(isForTests) ? all.filter((each) => each.name === "default" || isForTests(each)) : all;
  const values = (key: string): string[] => [...new Set(chosen.flatMap(({ value }) => texts(value[key])))];
  return environment(
    [...values("dependencies"), ...values("extra-dependencies"), ...("hatch-test" in environments ? ofHatchTest : [])],
    values("features"),
    values("dependency-groups"),
  );
}

function parsed(text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch {
    return {};
  }
}
