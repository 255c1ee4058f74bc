import path from "node:path/posix";
import { parseGitignore, PatternMatcher, type IgnoreRule } from "../../../tree/index.ts";
import { ApiError } from "./errors.ts";
import { ignorePatterns } from "./gitignore.ts";
import type { TreeReader } from "./read.ts";

export interface ScopeArguments {
  paths?: readonly string[];
  globs?: readonly string[];
  skipIgnored: boolean;
  skipHidden: boolean;
}

/** What a search looks into; names are relative to the folder that is searched. */
export interface SearchScope {
  enters(folder: string): boolean;
  has(file: string): boolean;
}

/** As ripgrep decides, which a Dagger engine searches with: paths, globs, hidden files and ignore files. */
export async function searchScope(reader: TreeReader, folder: string, args: ScopeArguments): Promise<SearchScope> {
  const paths = (args.paths ?? []).map(insideOf);
  const globs = globRules(args.globs ?? []);
  const ignored = args.skipIgnored ? new PatternMatcher(await ignorePatterns(reader, folder, await ignoreFiles(reader, folder))) : undefined;
  const everywhere = paths.length === 0 || paths.includes("");
  const isOpen = (name: string): boolean => !(args.skipHidden && path.basename(name).startsWith(".")) && ignored?.matches(name) !== true;
  return {
    enters: (name) => isOpen(name) && ruleFor(globs, name, true)?.negated !== true,
    has: (name) =>
      (everywhere || paths.some((wanted) => name === wanted || name.startsWith(`${wanted}/`))) &&
      isOpen(name) &&
      !(ruleFor(globs, name, false)?.negated ?? globs.some(({ negated }) => !negated)),
  };
}

/** A path to search, relative to the folder. */
function insideOf(name: string): string {
  const inside = path.normalize(name.replace(/^\/+/, "")).replace(/\/$/, "");
  if (inside === ".." || inside.startsWith("../")) throw new ApiError(`path cannot escape directory: ${name}`);
  return inside === "." ? "" : inside;
}

/** Globs are written like the lines of a `.gitignore`, but say what is wanted; `!` says what is not; the last one decides. */
function globRules(globs: readonly string[]): IgnoreRule[] {
  return globs.flatMap(alternatives).flatMap(parseGitignore);
}

function ruleFor(rules: readonly IgnoreRule[], name: string, isDirectory: boolean): IgnoreRule | undefined {
  return rules.findLast((rule) => (isDirectory || !rule.directoryOnly) && rule.test(rule.onName ? path.basename(name) : name));
}

/** `*.{a,b}` as `*.a` and `*.b`; the innermost braces first. */
function alternatives(glob: string): string[] {
  const braces = /\{([^{}]*,[^{}]*)\}/.exec(glob);
  if (braces === null) return [glob];
  const [before, after] = [glob.slice(0, braces.index), glob.slice(braces.index + braces[0].length)];
  return braces[1]!.split(",").flatMap((each) => alternatives(`${before}${each}${after}`));
}

/** Later ones count before earlier ones. `.gitignore` means something in a repository only. */
async function ignoreFiles(reader: TreeReader, folder: string): Promise<string[]> {
  for (let place = folder; ; place = path.dirname(place)) {
    if ((await reader.stat(path.join(place, ".git"))) !== undefined) return [".gitignore", ".ignore", ".rgignore"];
    if (place === "/") return [".ignore", ".rgignore"];
  }
}
