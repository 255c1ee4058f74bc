import path from "node:path/posix";
import { PatternMatcher } from "../../tree/index.ts";
import { directoryDigest } from "../tree/content-digest.ts";
import { ApiError } from "../values/errors.ts";
import { exportDirectory } from "../tree/export-directory.ts";
import { pathBelow } from "../values/paths.ts";
import { kindOf, withTree } from "../tree/read.ts";
import type { Resolver } from "../values/resolver.ts";
import { searchArgumentsSdl, searchTree, type SearchArguments } from "../search/search.ts";
import { existsIn, requireThere, statIn, type ExistsType } from "../tree/stat.ts";
import type { Directory } from "../values/values.ts";

export const directoryReadSdl = /* GraphQL */ `
    name: String!
    entries(path: String): [String!]!
    glob(pattern: String!): [String!]!
    search(paths: [String!] = [], globs: [String!] = [], ${searchArgumentsSdl}): [SearchResult!]!
    digest: String!
    exists(path: String!, expectedType: ExistsType, doNotFollowSymlinks: Boolean = false): Boolean!
    stat(path: String!, doNotFollowSymlinks: Boolean = false): Stat
    findUp(name: String!, start: String!): String
    export(path: String!, wipe: Boolean = false): String!
`;

export const directoryReadResolvers: Record<string, Resolver<Directory>> = {
  name: async (directory, _args: object, call) => {
    if (directory.path === "/") return "/";
    await requireThere(call, directory.tree, directory.path, "folder");
    return `${path.basename(directory.path)}/`;
  },
  entries: async (directory, args: { path?: string | null }, call) => {
    const folder = pathBelow(directory.path, args.path ?? ".");
    const entries = await withTree(call, directory.tree, (reader) => reader.list(folder));
    return entries.map((entry) => withSlash(path.basename(entry.path), kindOf(entry) === "DIRECTORY"));
  },
  glob: async (directory, { pattern }: { pattern: string }, call) => {
    const matcher = globMatcher(pattern);
    // Paths of entries have no leading slash, so a pattern with one matches none of them.
    if (path.normalize(pattern).startsWith("/")) return [];
    return await withTree(call, directory.tree, async (reader) => {
      const found: string[] = [];
      for await (const entry of reader.walk(directory.path, (folder) => matcher.mayMatchInside(folder, "inclusion"))) {
        if (matcher.matchesBelow(entry.relative, undefined))
          found.push(withSlash(entry.relative, kindOf(entry) === "DIRECTORY"));
      }
      return found;
    });
  },
  search: async (directory, args: SearchArguments & { paths: string[]; globs: string[] }, call) =>
    await searchTree(call, directory.tree, directory.path, args),
  digest: (directory, _args: object, call) => directoryDigest(call, directory),
  exists: (directory, args: { path: string; expectedType?: ExistsType; doNotFollowSymlinks: boolean }, call) =>
    args.path === ""
      ? false
      : existsIn(
          call,
          directory.tree,
          pathBelow(directory.path, args.path),
          args.expectedType,
          args.doNotFollowSymlinks,
        ),
  stat: (directory, args: { path: string; doNotFollowSymlinks: boolean }, call) =>
    statIn(call, directory.tree, pathBelow(directory.path, args.path), args.path, !args.doNotFollowSymlinks),
  findUp: async (directory, args: { name: string; start: string }, call) => {
    if (args.name === "") throw new ApiError("name cannot be empty");
    const start = path.normalize(args.start === "" ? "." : args.start);
    if (start.startsWith("../")) throw new ApiError(`cannot search outside parent: ${start}`);
    return await withTree(call, directory.tree, async (reader) => {
      for (let folder = start; ; folder = path.dirname(folder)) {
        const there = await reader.stat(pathBelow(directory.path, folder));
        if (there !== undefined && kindOf(there) !== "DIRECTORY")
          throw new ApiError(`path ${folder} is a file, not a directory`);
        const candidate = path.join(folder, args.name);
        if ((await reader.stat(pathBelow(directory.path, candidate), false)) !== undefined) return candidate;
        if (folder === path.dirname(folder)) return null;
      }
    });
  },
  export: (directory, args: { path: string; wipe: boolean }, call) =>
    exportDirectory(call, directory, args.path, args.wipe),
};

function globMatcher(pattern: string): PatternMatcher {
  if (pattern.trim() === "") throw new ApiError("failed to create glob pattern matcher: empty pattern");
  try {
    return new PatternMatcher([pattern]);
  } catch (cause) {
    throw new ApiError("failed to create glob pattern matcher: syntax error in pattern", {}, cause);
  }
}

function withSlash(name: string, isFolder: boolean): string {
  return isFolder ? `${name}/` : name;
}
