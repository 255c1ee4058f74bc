import path from "node:path/posix";
import { isWithin, leadsOut } from "../../paths/index.ts";
import { maxPatternChars, parseGitignore, PatternMatcher, type IgnoreRule } from "../../tree/index.ts";
import { ApiError } from "../values/errors.ts";
import { ignorePatterns } from "../tree/gitignore.ts";
import type { TreeReader } from "../tree/read.ts";

export interface ScopeArguments {
  paths?: readonly string[];
  globs?: readonly string[];
  skipIgnored: boolean;
  skipHidden: boolean;
}

/** Files and folders that a search covers. Names are relative to the searched folder. */
export interface SearchScope {
  enters(folder: string): boolean;
  has(file: string): boolean;
}

/**
 * Returns the scope that ripgrep, which a Dagger engine searches with, would derive from paths, globs, hidden files and
 * ignore files. Throws an `ApiError` when a path is missing or leaves the folder.
 */
export async function searchScope(reader: TreeReader, folder: string, args: ScopeArguments): Promise<SearchScope> {
  const paths = (args.paths ?? []).map(insideOf);
  for (const wanted of paths) {
    if ((await reader.stat(path.join(folder, wanted))) === undefined)
      throw new ApiError(`search: ${wanted}: No such file or directory`);
  }
  const globs = globRules(args.globs ?? []);
  const ignored = args.skipIgnored
    ? new PatternMatcher(await ignorePatterns(reader, folder, await ignoreFiles(reader, folder)))
    : undefined;
  const everywhere = paths.length === 0 || paths.includes("");
  const isOpen = (name: string): boolean =>
    !(args.skipHidden && path.basename(name).startsWith(".")) && ignored?.matches(name) !== true;
  return {
    enters: (name) => isOpen(name) && ruleFor(globs, name, true)?.negated !== true,
    has: (name) =>
      (everywhere || paths.some((wanted) => isWithin(wanted, name))) &&
      isOpen(name) &&
      !(ruleFor(globs, name, false)?.negated ?? globs.some(({ negated }) => !negated)),
  };
}

/** Returns a search path relative to the folder. Throws an `ApiError` when it leaves the folder. */
function insideOf(name: string): string {
  const inside = path.normalize(name.replace(/^\/+/, "")).replace(/\/$/, "");
  if (leadsOut(inside)) throw new ApiError(`path cannot escape directory: ${name}`);
  return inside === "." ? "" : inside;
}

/**
 * Parses globs. They are written like lines of a `.gitignore` but say what to include, and `!` says what to exclude.
 * The last match decides.
 */
function globRules(globs: readonly string[]): IgnoreRule[] {
  return globs.flatMap(alternatives).flatMap(parseGitignore);
}

function ruleFor(rules: readonly IgnoreRule[], name: string, isDirectory: boolean): IgnoreRule | undefined {
  return rules.findLast(
    (rule) => (isDirectory || !rule.directoryOnly) && rule.test(rule.onName ? path.basename(name) : name),
  );
}

/**
 * Limit on the patterns from one glob. Braces multiply, so a few of them could produce more patterns than fit in
 * memory.
 */
const maxAlternatives = 1000;

/** Expands `*.{a,b}` to `*.a` and `*.b`, innermost braces first. Throws an `ApiError` when a limit is exceeded. */
export function alternatives(glob: string): string[] {
  if (glob.length > maxPatternChars)
    throw new ApiError(`a glob has ${glob.length} characters; the limit is ${maxPatternChars}`);
  const done: string[] = [];
  const open = [glob];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const braces = innermostBraces(next);
    if (braces === undefined) done.push(next);
    else {
      const [before, after] = [next.slice(0, braces.start), next.slice(braces.end + 1)];
      for (const each of next
        .slice(braces.start + 1, braces.end)
        .split(",")
        .toReversed())
        open.push(`${before}${each}${after}`);
    }
    if (done.length + open.length > maxAlternatives)
      throw new ApiError(`the braces of ${JSON.stringify(glob.slice(0, 100))} make more than ${maxAlternatives} globs`);
  }
  return done;
}

/** Returns the first braces that contain a comma and no other braces. */
function innermostBraces(glob: string): { start: number; end: number } | undefined {
  let start = -1;
  let hasComma = false;
  for (let index = 0; index < glob.length; index++) {
    if (glob[index] === "{") [start, hasComma] = [index, false];
    else if (glob[index] === ",") hasComma = true;
    else if (glob[index] === "}") {
      if (start >= 0 && hasComma) return { start, end: index };
      start = -1;
    }
  }
  return undefined;
}

/** Returns the ignore files that apply; later ones take precedence. `.gitignore` only applies inside a repository. */
async function ignoreFiles(reader: TreeReader, folder: string): Promise<string[]> {
  for (let place = folder; ; place = path.dirname(place)) {
    if ((await reader.stat(path.join(place, ".git"))) !== undefined) return [".gitignore", ".ignore", ".rgignore"];
    if (place === "/") return [".ignore", ".rgignore"];
  }
}
