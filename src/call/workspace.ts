/**
 * The workspace of a call, as a Dagger engine gives it to functions that take a `Workspace`: the repository that one stands
 * in. Every read is noted, which is how it is known what such a function depends on; none leads out of the repository.
 */
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { QueryOptions, TreeSync } from "../engine/index.ts";
import { isInside, realPath, type WorkspaceReader } from "../module/index.ts";
import { findGitRoot, listTree, localPatterns, statEntry, type TreeFilter, type TreeListing } from "../tree/index.ts";

/** Where a workspace lies on this machine; real paths. */
export interface WorkspacePlace {
  /** The git repository, which no read leaves; without one the folder itself. */
  root: string;
  /** Where the call is made: relative paths begin here. */
  folder: string;
}

/** Something that a function asked of its workspace; `path` is relative to the root, `.` is the root. */
export type WorkspaceRead =
  | { kind: "directory"; path: string; include: string[]; exclude: string[]; gitignore: boolean }
  | { kind: "file"; path: string }
  /** Only whether it is there. */
  | { kind: "presence"; path: string };

/** A read, and what was there when it was made: the entries of a directory, or one, or none. */
export interface MadeRead {
  read: WorkspaceRead;
  listing: TreeListing;
}

/** A listing that was made before, and the filter that it was made with: what is read is exactly that. */
export interface ListedRead {
  filter: TreeFilter;
  listing: TreeListing;
  concerns?: (path: string) => boolean;
}

export interface CallWorkspaceOptions {
  trees: Pick<TreeSync, "directory" | "file">;
  query: QueryOptions;
  /** Undefined for what has not been listed: it is listed now. */
  listed?(read: WorkspaceRead): ListedRead | undefined;
  /** What a directory goes without besides. */
  leaveOut?: TreeFilter["leaveOut"];
  /** Told of paths, absolute, that are not what was listed any more. */
  onMoved?(paths: readonly string[]): void;
}

export function workspaceAt(cwd: string): WorkspacePlace {
  const folder = realPath(cwd);
  return { root: findGitRoot(folder) ?? folder, folder };
}

/** What has to be looked at to know whether a read would give the same; our own state is no part of a workspace. */
export function filterOfRead(read: WorkspaceRead): TreeFilter {
  if (read.kind !== "directory") return {};
  const { include, exclude, gitignore } = read;
  return {
    ...(include.length === 0 ? {} : { include }),
    exclude: [...exclude, ownState],
    ...(gitignore ? { gitignore } : {}),
  };
}

const ownState = "**/.fastloop";

/** More reads than this nobody makes; without a bound a body could fill the CLI's memory. */
const maxReads = 10_000;

export class CallWorkspace implements WorkspaceReader {
  private readonly place: WorkspacePlace;
  private readonly options: CallWorkspaceOptions;
  private readonly made = new Map<string, MadeRead>();

  constructor(place: WorkspacePlace, options: CallWorkspaceOptions) {
    this.place = place;
    this.options = options;
  }

  /** What has been read so far, each once, in an order that does not depend on which came first. */
  get reads(): MadeRead[] {
    return [...this.made].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, read]) => read);
  }

  async read(field: string, args: Record<string, unknown>): ReturnType<WorkspaceReader["read"]> {
    const { root, folder } = this.place;
    switch (field) {
      case "directory":
        return this.directory(args);
      case "file":
        return this.file(text(args, "path"));
      case "findUp":
        return this.findUp(text(args, "name"), text(args, "from", "."));
      case "path":
        return path.relative(root, folder) || ".";
      case "address":
        return pathToFileURL(folder).href;
      case "clientId":
        return "fastloop";
      case "hasConfig":
      case "initialized":
        // As an engine of 0.21 answers: it reads no configuration of workspaces.
        return false;
      case "configPath":
        return "";
      default:
        throw new Error(
          `Workspace.${field} is not served to functions beside the command line; on a Dagger engine it is, with --via module`,
        );
    }
  }

  /** Git's own files change with every command of it, and are left out. */
  readByEngine(): void {
    const read: WorkspaceRead = { kind: "directory", path: ".", include: [], exclude: ["**/.git"], gitignore: false };
    this.note(read, this.listed(read, this.place.root).listing);
  }

  private async directory(args: Record<string, unknown>): Promise<{ $id: string; $type: string }> {
    const given = text(args, "path");
    const { absolute, real } = this.inside(given);
    const read: WorkspaceRead = {
      kind: "directory",
      path: this.relative(absolute),
      include: localPatterns(texts(args, "include")),
      exclude: localPatterns(texts(args, "exclude")),
      gitignore: args.gitignore === true,
    };
    const stats = statSync(real, { throwIfNoEntry: false });
    if (stats?.isDirectory() !== true) {
      // That there is none may be what the function wanted to know.
      this.note(stats === undefined ? read : { kind: "file", path: read.path }, listingOf(real));
      throw new Error(`workspace directory ${JSON.stringify(given)}: there is no such directory`);
    }
    const { filter, ...listed } = this.listed(read, real);
    this.note(read, listed.listing);
    const synced = await this.options.trees.directory(real, filter, { ...this.options.query, ...listed });
    this.options.onMoved?.(synced.moved.map((file) => path.join(synced.listing.root, file)));
    return { $id: synced.id, $type: "Directory" };
  }

  private listed(read: WorkspaceRead, real: string): ListedRead {
    const before = this.options.listed?.(read);
    // Links on the way led elsewhere when it was listed.
    if (before?.listing.root === real) return before;
    const { leaveOut } = this.options;
    const filter = { ...filterOfRead(read), ...(leaveOut === undefined ? {} : { leaveOut }) };
    return { filter, listing: listTree(real, filter) };
  }

  private async file(given: string): Promise<{ $id: string; $type: string }> {
    const { absolute, real } = this.inside(given);
    this.note({ kind: "file", path: this.relative(absolute) }, listingOf(real));
    if (statSync(real, { throwIfNoEntry: false })?.isFile() !== true)
      throw new Error(`workspace file ${JSON.stringify(given)}: there is no such file`);
    return { $id: (await this.options.trees.file(real, this.options.query)).id, $type: "File" };
  }

  /** As an engine does it: from the folder upwards to the root, the path of the first one from the root on. */
  private findUp(name: string, from: string): string | null {
    for (let folder = this.inside(from).absolute; ; folder = path.dirname(folder)) {
      const candidate = path.join(folder, name);
      const real = this.requireInside(candidate, name);
      this.note({ kind: "presence", path: this.relative(candidate) }, listingOf(real));
      if (existsSync(real)) return `/${path.relative(this.place.root, candidate)}`;
      if (folder === this.place.root) return null;
    }
  }

  /**
   * What a function names, as it names it and with all links followed: a read is noted by the first, for a link on the way
   * may lead elsewhere the next time. Refused outside of the repository, and where a link leads out.
   */
  private inside(given: string): { absolute: string; real: string } {
    const { root, folder } = this.place;
    const clean = path.posix.normalize(given);
    const absolute = path.resolve(clean.startsWith("/") ? path.join(root, clean) : path.join(folder, clean));
    return { absolute, real: this.requireInside(absolute, given) };
  }

  /** Gives the real path. */
  private requireInside(absolute: string, given: string): string {
    const { root } = this.place;
    const real = realPath(absolute);
    if (!isInside(root, absolute) || !isInside(root, real))
      throw new Error(`workspace path ${JSON.stringify(given)} leads out of the repository ${root}`);
    const parts = [absolute, real].flatMap((each) => path.relative(root, each).split("/"));
    if (parts.some((part) => part.toLowerCase() === ".fastloop"))
      throw new Error(`workspace path ${JSON.stringify(given)} is fastloop's own state, which is no part of it`);
    return real;
  }

  private relative(absolute: string): string {
    return path.relative(this.place.root, absolute) || ".";
  }

  private note(read: WorkspaceRead, listing: TreeListing): void {
    const key = JSON.stringify(read);
    if (this.made.size >= maxReads && !this.made.has(key))
      throw new Error(`more than ${maxReads} different reads of the workspace`);
    // What was read first is what the function may have used.
    if (!this.made.has(key)) this.made.set(key, { read, listing });
  }
}

/** One file as a tree, or nothing; `real` has no links, so one that is there leads nowhere. */
function listingOf(real: string): TreeListing {
  const entry = statEntry(path.dirname(real), path.basename(real));
  const isThere = entry !== undefined && entry.type !== "symlink";
  return { root: path.dirname(real), entries: isThere ? [entry] : [], unreadable: [] };
}

function text(args: Record<string, unknown>, name: string, fallback?: string): string {
  const value = args[name] ?? fallback;
  if (typeof value !== "string" || value.includes("\0")) throw new Error(`argument "${name}" is not a text`);
  return value;
}

function texts(args: Record<string, unknown>, name: string): string[] {
  const value = args[name] ?? [];
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === "string"))
    throw new Error(`argument "${name}" is not a list of texts`);
  return value;
}
