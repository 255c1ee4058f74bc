import path from "node:path/posix";
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

/** What a search looks into; names are relative to the folder that is searched. */
export interface SearchScope {
  enters(folder: string): boolean;
  has(file: string): boolean;
}

/** As ripgrep decides, which a Dagger engine searches with: paths, globs, hidden files and ignore files. */
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
  return rules.findLast(
    (rule) => (isDirectory || !rule.directoryOnly) && rule.test(rule.onName ? path.basename(name) : name),
  );
}

/** Braces multiply: a few of them make more patterns than any memory holds. */
const maxAlternatives = 1000;

/** `*.{a,b}` as `*.a` and `*.b`; the innermost braces first. */
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

/** The first braces with a comma and no braces in them. */
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

/** Later ones count before earlier ones. `.gitignore` means something in a repository only. */
async function ignoreFiles(reader: TreeReader, folder: string): Promise<string[]> {
  for (let place = folder; ; place = path.dirname(place)) {
    if ((await reader.stat(path.join(place, ".git"))) !== undefined) return [".gitignore", ".ignore", ".rgignore"];
    if (place === "/") return [".ignore", ".rgignore"];
  }
}
