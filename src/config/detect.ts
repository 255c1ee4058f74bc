import path from "node:path";
import { presetFiles } from "./presets.ts";
import type { PresetName, SuiteConfig, TierName } from "./types.ts";

/** A part of a repository that has a package manager's file. */
export interface DetectedPart {
  /** Name of the suite: the folder's, or `app` for the root. */
  name: string;
  /** Relative to the project; empty for the root. */
  folder: string;
  preset: PresetName;
  /** The file that told the preset. */
  because: string;
  runner?: SuiteConfig["runner"];
  tiers: Partial<Record<TierName, string>>;
}

/**
 * The parts of a repository, read from its root and the folders right below it. A folder that belongs to the root's
 * workspaces is no part of its own. `files` are relative paths, `read` gives a file's text.
 */
export function detectParts(files: readonly string[], read: (file: string) => string): DetectedPart[] {
  const present = new Set(files);
  const folders = ["", ...new Set(files.filter((file) => file.split("/").length === 2).map((file) => path.posix.dirname(file)))];
  const workspaces = present.has("package.json") ? workspaceFolders(read("package.json")) : [];
  return folders.flatMap((folder) => {
    const found = presetFiles.find(([file]) => present.has(path.posix.join(folder, file)));
    if (found === undefined) return [];
    const [file, preset] = found;
    const isNode = ["npm", "pnpm", "yarn"].includes(preset);
    if (folder !== "" && isNode && workspaces.some((pattern) => covers(pattern, folder))) return [];
    const at = (name: string): string => path.posix.join(folder, name);
    const text = (name: string): string => (present.has(at(name)) ? read(at(name)) : "");
    const { runner, tiers } = isNode ? nodeTests(preset, text("package.json")) : otherTests(preset, text);
    if (Object.keys(tiers).length === 0) return [];
    return [{ name: folder === "" ? "app" : suiteName(folder), folder, preset, because: at(file), runner, tiers }];
  });
}

/** A suite is named in calls and tags, where a folder may have spaces or any letter. */
function suiteName(folder: string): string {
  const plain = folder.normalize("NFD").replaceAll(/\p{M}/gu, "").replaceAll(/[^A-Za-z0-9._-]+/g, "-").replaceAll(/^[^A-Za-z]+|-+$/g, "");
  return plain === "" || /^(?:true|false|null|yes|no|on|off)$/i.test(plain) ? `part-${plain || folder.length}` : plain;
}

interface PackageJson {
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  workspaces?: string[] | { packages?: string[] };
}

/** A package.json that is none, such as a test's fixture, has nothing to run. */
function packageJson(text: string): PackageJson {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ""));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function workspaceFolders(text: string): string[] {
  const { workspaces } = packageJson(text);
  return Array.isArray(workspaces) ? workspaces : (workspaces?.packages ?? []);
}

const covers = (pattern: string, folder: string): boolean => pattern === folder || (pattern.endsWith("/*") && path.posix.dirname(folder) === pattern.slice(0, -2));

function nodeTests(preset: PresetName, text: string): Pick<DetectedPart, "runner" | "tiers"> {
  const { scripts = {}, dependencies, devDependencies } = packageJson(text);
  const all = { ...dependencies, ...devDependencies };
  const runner = "vitest" in all ? "vitest" : "jest" in all ? "jest" : /node.*--test/.test(scripts["test"] ?? "") ? "node" : undefined;
  const run = (script: string): string => `${preset} run ${script}`;
  const own = (["smoke", "fast", "full"] as const).filter((tier) => scripts[`test:${tier}`] !== undefined);
  if (own.length > 0) return { runner, tiers: Object.fromEntries(own.map((tier) => [tier, run(`test:${tier}`)])) };
  const tiers: DetectedPart["tiers"] = {};
  for (const script of ["typecheck", "types", "lint"]) if (scripts[script] !== undefined) tiers.smoke ??= run(script);
  if (scripts["test"] !== undefined && !scripts["test"].includes("no test specified")) tiers.fast = run("test");
  for (const script of ["test:e2e", "e2e", "build"]) if (scripts[script] !== undefined) tiers.full ??= run(script);
  return { runner, tiers };
}

function otherTests(preset: PresetName, text: (name: string) => string): Pick<DetectedPart, "runner" | "tiers"> {
  if (preset === "go") return { runner: "go", tiers: { smoke: "go vet ./...", fast: "go test -short $TEST_ARGS", full: "go test $TEST_ARGS" } };
  if (preset === "cargo") return { runner: "cargo", tiers: { smoke: "cargo check --tests", fast: "cargo test $TEST_ARGS" } };
  const named = ["requirements.txt", "pyproject.toml", "uv.lock", "poetry.lock"].some((file) => /\bpytest\b/.test(text(file)));
  if (named) return { runner: "pytest", tiers: { fast: "python -m pytest" } };
  return { tiers: { smoke: "python -m compileall -q .", fast: "python -m unittest" } };
}
