import path from "node:path";
import { currentRecorder, statIfThere } from "../../paths/index.ts";
import { UserError } from "../../errors/index.ts";
import { findGitRoot, infoExcludeFile, readTextIfPresent } from "../git/git-folders.ts";
import { anyCharacter, compileTokens, type GlobToken } from "../patterns/glob-matcher.ts";
import { maxPatternChars, scanGlob, type GlobDialect } from "../patterns/globs.ts";
import { readOnce } from "../shared-reads.ts";

/**
 * Git's ignore rules along one path of folders: a chain from the git root down, each link with the rules of one folder.
 * The deepest matching rule decides; an ignored folder is never entered, so nothing inside can be included again.
 * Weaker rules that are in no file of the project (a user's own, an editor's) may come before all of them.
 */
export class GitignoreChain {
  private readonly parent: GitignoreChain | undefined;
  private readonly rules: readonly IgnoreRule[];
  /** Length of the folder's path with its slash, to cut it off paths that are relative to the git root. */
  private readonly prefixLength: number;

  private constructor(parent: GitignoreChain | undefined, rules: readonly IgnoreRule[], prefixLength: number) {
    this.parent = parent;
    this.rules = rules;
    this.prefixLength = prefixLength;
  }

  /** Returns a chain of rules that apply everywhere below the git root. */
  static of(rules: readonly IgnoreRule[]): GitignoreChain | undefined {
    return GitignoreChain.extend(undefined, rules, 0);
  }

  /**
   * Returns the rules that apply to `root`: `.git/info/exclude`, then each `.gitignore` from the git root down to
   * `root` itself.
   */
  static forRoot(
    root: string,
    weakest: readonly IgnoreRule[] = [],
  ): { chain: GitignoreChain | undefined; pathInRepository: string } {
    const repository = findGitRoot(root);
    const top = repository ?? root;
    let chain = GitignoreChain.extend(undefined, weakest, 0);
    const rulesOf = (file: string): IgnoreRule[] => readOnce(`rules in ${file}`, () => readRules(file));
    if (repository !== undefined) chain = GitignoreChain.extend(chain, rulesOf(infoExcludeFile(repository)), 0);
    chain = GitignoreChain.extend(chain, rulesOf(path.join(top, ".gitignore")), 0);
    const pathInRepository = path.relative(top, root).split(path.sep).join("/");
    if (pathInRepository !== "") {
      let folder = "";
      for (const segment of pathInRepository.split("/")) {
        folder += `${segment}/`;
        chain = GitignoreChain.extend(chain, rulesOf(path.join(top, folder, ".gitignore")), folder.length);
      }
    }
    return { chain, pathInRepository };
  }

  /** Extends the chain for a subfolder with a `.gitignore`; `folder` is relative to the git root. */
  static forFolder(chain: GitignoreChain | undefined, directory: string, folder: string): GitignoreChain | undefined {
    const prefixLength = folder === "" ? 0 : folder.length + 1;
    return GitignoreChain.extend(chain, readRules(path.join(directory, ".gitignore")), prefixLength);
  }

  /**
   * Returns the rules of a nested repository, in which only its own apply. `folder` is relative to the outer git root.
   */
  static forRepository(directory: string, folder: string, weakest: readonly IgnoreRule[]): GitignoreChain | undefined {
    return GitignoreChain.extend(
      GitignoreChain.extend(undefined, weakest, 0),
      readRules(infoExcludeFile(directory)),
      folder.length + 1,
    );
  }

  private static extend(
    parent: GitignoreChain | undefined,
    rules: readonly IgnoreRule[],
    prefixLength: number,
  ): GitignoreChain | undefined {
    return rules.length === 0 ? parent : new GitignoreChain(parent, rules, prefixLength);
  }

  /** Reports whether a path (relative to the git root) is ignored, given that its parents are not. */
  ignores(file: string, isDirectory: boolean): boolean {
    const nameStart = file.lastIndexOf("/") + 1;
    const name = file.slice(nameStart);
    // oxlint-disable-next-line typescript/no-this-alias -- the walk up the chain starts here
    for (let link: GitignoreChain | undefined = this; link !== undefined; link = link.parent) {
      const relative = link.prefixLength === 0 ? file : file.slice(link.prefixLength);
      for (let index = link.rules.length - 1; index >= 0; index--) {
        const rule = link.rules[index]!;
        if (rule.directoryOnly && !isDirectory) continue;
        if (rule.test(rule.onName ? name : relative)) return !rule.negated;
      }
    }
    return false;
  }
}

/** One line of an ignore file. */
export interface IgnoreRule {
  negated: boolean;
  directoryOnly: boolean;
  /** The pattern has no slash except a trailing one, so it is compared with the last path segment. */
  onName: boolean;
  test(text: string): boolean;
}

/** Every path is compared with every rule; files with many more rules are made to stall the reader. */
const maxRules = 20_000;
const maxIgnoreFileBytes = 2 * 1024 * 1024;

function readRules(file: string): IgnoreRule[] {
  currentRecorder()?.content(file);
  const sizeBytes = statIfThere(file)?.size ?? 0;
  if (sizeBytes > maxIgnoreFileBytes) throw tooLarge(file, `${sizeBytes} bytes; the limit is ${maxIgnoreFileBytes}`);
  const rules = parseGitignore(readTextIfPresent(file));
  if (rules.length > maxRules) throw tooLarge(file, `${rules.length} rules; the limit is ${maxRules}`);
  return rules;
}

function tooLarge(file: string, what: string): UserError {
  return new UserError("config", `the ignore file has ${what}`, {
    place: file,
    hint: "name folders in it, not each file",
  });
}

/** Removes trailing spaces, unless the last one is escaped, and a carriage return. */
function withoutTrailingSpaces(line: string): string {
  let end = line.endsWith("\r") ? line.length - 1 : line.length;
  while (end > 0 && line[end - 1] === " ") end--;
  // The space after a backslash belongs to the pattern.
  return line.slice(0, line[end - 1] === "\\" && line[end] === " " ? end + 1 : end);
}

/** Returns the rules of one ignore file, skipping the lines that git would skip, and those longer than any path. */
export function parseGitignore(text: string): IgnoreRule[] {
  const rules: IgnoreRule[] = [];
  for (const line of text.replace(/^\uFEFF/, "").split("\n")) {
    let pattern = withoutTrailingSpaces(line);
    if (pattern === "" || pattern.startsWith("#") || pattern.length > maxPatternChars) continue;
    const negated = pattern.startsWith("!");
    if (negated) pattern = pattern.slice(1);
    const directoryOnly = pattern.endsWith("/");
    if (directoryOnly) pattern = pattern.slice(0, -1);
    const onName = !pattern.includes("/");
    if (pattern.startsWith("/")) pattern = pattern.slice(1);
    if (pattern === "") continue;
    const test = compileRule(pattern);
    if (test !== undefined) rules.push({ negated, directoryOnly, onName, test });
  }
  return rules;
}

function compileRule(pattern: string): ((text: string) => boolean) | undefined {
  if (!/[*?[\\]/.test(pattern)) return (text) => text === pattern;
  const tokens = ruleTokens(pattern);
  return tokens === undefined ? undefined : compileTokens(tokens);
}

/** wildmatch with WM_PATHNAME: `**` counts only as a whole segment. */
const gitDialect: GlobDialect = {
  negations: "^!",
  stars(pattern, index) {
    let end = index;
    while (pattern[end] === "*") end++;
    const isWholeSegment =
      end - index === 2 &&
      (index === 0 || pattern[index - 1] === "/") &&
      (end === pattern.length || pattern[end] === "/");
    if (!isWholeSegment) return { tokens: [{ kind: "in-segment" }], next: end };
    if (end === pattern.length) return { tokens: [anyCharacter, { kind: "rest" }], next: end };
    return { tokens: [{ kind: "folders" }], next: end + 1 };
  },
};

/**
 * Returns undefined if nothing can match: in git, a bracket that is never closed or has a range out of order matches
 * nothing.
 */
function ruleTokens(pattern: string): GlobToken[] | undefined {
  try {
    return scanGlob(pattern, gitDialect);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
