import path from "node:path";
import { PatternMatcher } from "../tree/index.ts";
import type { DetectedSuite, ProjectFiles } from "./types.ts";

/** Folders in which a manifest belongs to an example or a test's input instead of the project. */
const notParts =
  /(?:^|\/)(?:\.[^/]+|node_modules|vendor|third_party|fixtures?|__fixtures__|__tests__|tests?|testdata|templates?|examples?|samples?|demos?|bench(?:es|marks?)?|_*perf(?:ormance)?[-_]?tests?(?:ing)?_*|site|website|docs?|e2e|fuzz)(?:\/|$)/i;

/** Reports whether a folder can be a part of the project. */
export const isPart = (folder: string): boolean => folder === "" || !notParts.test(folder);

/** Returns the folder of a file; empty for the root. */
export const folderOf = (file: string): string => (file.includes("/") ? path.posix.dirname(file) : "");

export const joined = (folder: string, file: string): string => path.posix.join(folder, file);

/** Returns the files with this name, those in higher folders first. */
export function named(files: ProjectFiles, name: string): string[] {
  return files.list
    .filter((file) => path.posix.basename(file) === name)
    .toSorted((a, b) => a.split("/").length - b.split("/").length || (a < b ? -1 : 1));
}

export const workflowFiles = (files: ProjectFiles): string[] =>
  files.list.filter((file) => /^\.github\/workflows\/[^/]+\.ya?ml$/.test(file));

/** Returns the texts of the GitHub workflows. */
export const workflowsOf = (files: ProjectFiles): string[] => workflowFiles(files).map((file) => files.read(file));

export const has = (files: ProjectFiles, file: string): boolean => files.list.includes(file);

/** Returns the files below a folder, relative to it. */
export function below(files: ProjectFiles, folder: string): string[] {
  return folder === ""
    ? [...files.list]
    : files.list.filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1));
}

/** Returns a valid suite name for a folder's name, which may contain spaces or any letters; calls and tags use it. */
export function suiteName(text: string): string {
  const plain = text
    .normalize("NFD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replaceAll(/^[^A-Za-z]+|[-.]+$/g, "");
  return plain === "" || /^(?:true|false|null|yes|no|on|off)$/i.test(plain) ? `part-${plain || text.length}` : plain;
}

/** Returns a naming function for folders: the last part if it is unique, else the whole path; `app` for the root. */
export function folderNames(folders: readonly string[]): (folder: string) => string {
  const last = (folder: string): string => folder.split("/").at(-1)!;
  return (folder) => {
    if (folder === "") return "app";
    const isOnly = !folders.some((other) => other !== folder && last(other) === last(folder));
    return suiteName(isOnly ? last(folder) : folder.replaceAll("/", "-"));
  };
}

/** Parses a JSON object; anything else, such as a test's fixture, counts as an empty one. */
export const jsonObject = (text: string): Record<string, unknown> => parsedObject(text) ?? {};

export const isJsonObject = (text: string): boolean => parsedObject(text) !== undefined;

function parsedObject(text: string): Record<string, unknown> | undefined {
  try {
    return mapOf(JSON.parse(text.replace(/^\uFEFF/, "")));
  } catch {
    return undefined;
  }
}

/** Returns a map of JSON, YAML or TOML; undefined for any other value. */
export const mapOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

/** Returns the entries of an object whose values are strings. */
export function textsOf(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/** Drops needs that form a cycle: packages may depend on each other, but runs cannot wait for each other. */
export function withoutCircles(suites: DetectedSuite[]): DetectedSuite[] {
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return (suites.find(({ name }) => name === from)?.needs ?? []).some((next) => reaches(next, to, seen));
  };
  for (const suite of suites) suite.needs = suite.needs.filter((name) => !reaches(name, suite.name));
  return suites;
}

/** Returns a matcher for workspace patterns: `packages/*` means the folders directly below, `**` any depth. */
export function memberMatcher(patterns: readonly string[]): (folder: string) => boolean {
  const plain = patterns.map((pattern) => pattern.replace(/^(!?)\.\//, "$1").replace(/\/$/, ""));
  const depth = (text: string): number => text.split("/").length;
  const matchers = new Map(
    [...new Set(plain.map(depth))].map((levels) => [
      levels,
      new PatternMatcher(
        plain.filter((pattern) => depth(pattern) === levels || pattern.includes("**") || pattern.startsWith("!")),
      ),
    ]),
  );
  const deep = new PatternMatcher(plain.filter((pattern) => pattern.includes("**") || pattern.startsWith("!")));
  return (folder) => (matchers.get(depth(folder)) ?? deep).matches(folder);
}
