import path from "node:path/posix";
import { maxPatternChars, parseGitignore } from "../../tree/index.ts";
import { breathe } from "../../async/index.ts";
import { ApiError } from "../values/errors.ts";
import { kindOf, withTree, type TreeReader } from "./read.ts";
import { escapePattern } from "./remove.ts";
import type { Call } from "../request/call.ts";
import type { Directory } from "../values/values.ts";

/** Limit on rules, because every path is compared with every rule. */
const maxRules = 20_000;
const maxIgnoreFileBytes = 2 * 1024 * 1024;

/**
 * Returns the rules of a directory's `.gitignore` files as exclude patterns relative to its root, outer files first.
 */
export async function gitignorePatterns(call: Call, directory: Directory): Promise<string[]> {
  return await withTree(call, directory.tree, (reader) => ignorePatterns(reader, directory.path, [".gitignore"]));
}

/**
 * Same for several kinds of ignore files. Files of a later kind come after all files of an earlier one. Throws an
 * `ApiError` when a limit is exceeded.
 */
export async function ignorePatterns(reader: TreeReader, folder: string, kinds: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  const names: Names = { folders: [], others: [] };
  for await (const entry of reader.walk(folder, (name) => path.basename(name) !== ".git")) {
    if (kinds.includes(path.basename(entry.relative))) files.push(entry.relative);
    (kindOf(entry) === "DIRECTORY" ? names.folders : names.others).push(entry.relative);
  }
  const patterns: string[] = [];
  const rank = (name: string): number => kinds.indexOf(path.basename(name));
  const depth = (name: string): number => name.split("/").length;
  for (const name of files.toSorted((a, b) => rank(a) - rank(b) || depth(a) - depth(b))) {
    const text = (await reader.read(path.join(folder, name), maxIgnoreFileBytes)).toString("utf8");
    const below = path.dirname(name) === "." ? "" : path.dirname(name);
    for (const line of text.split("\n"))
      if (line.length <= maxPatternChars)
        patterns.push(...(foldersAlone(line, below, names) ?? excludePatterns(line, below)));
    if (patterns.length > maxRules) throw new ApiError(`the ignore files have more than ${maxRules} rules`);
    await breathe();
  }
  return patterns;
}

/** Relative paths in a directory. */
interface Names {
  readonly folders: string[];
  readonly others: string[];
}

/**
 * Expands a line that means folders only. An exclude pattern matches files and folders alike, so if a file or link
 * matches the line too, the folders are listed one by one. Undefined when the line does not need this.
 */
export function foldersAlone(line: string, folder: string, names: Names): string[] | undefined {
  if (!line.trimEnd().endsWith("/")) return undefined;
  const [rule] = parseGitignore(line);
  if (rule?.directoryOnly !== true) return undefined;
  const below = folder === "" ? "" : `${folder}/`;
  const isMeant = (name: string): boolean =>
    name.startsWith(below) && rule.test(rule.onName ? path.basename(name) : name.slice(below.length));
  if (!names.others.some(isMeant)) return undefined;
  return names.folders.filter(isMeant).map((name) => `${rule.negated ? "!" : ""}${escapePattern(name)}`);
}

/** Translates one line of a `.gitignore` in `folder` to the pattern language of `.dockerignore`. */
export function excludePatterns(line: string, folder: string): string[] {
  let rule = line.trimEnd();
  // A blank after a backslash belongs to the pattern.
  if (rule.endsWith("\\") && rule.length < line.length) rule += line[rule.length]!;
  if (rule === "" || rule.startsWith("#")) return [];
  const negated = rule.startsWith("!");
  if (negated) rule = rule.slice(1);
  if (rule.startsWith("\\#") || rule.startsWith("\\!")) rule = rule.slice(1);
  let end = rule.length;
  while (rule[end - 1] === "/") end--;
  const body = rule.slice(0, end);
  const anchored = body.slice(0, -1).includes("/") || body.startsWith("/");
  const inFolder = folder === "" ? "" : `${folder}/`;
  const pattern = anchored ? `${inFolder}${body.replace(/^\//, "")}` : `${inFolder}**/${body}`;
  return [`${negated ? "!" : ""}${pattern}`];
}
