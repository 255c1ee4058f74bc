/**
 * The workspace of a call, as a Dagger engine gives it to functions with a `Workspace` argument: the repository of the
 * current folder. Every read is recorded, which determines what such a function depends on; no read leaves the
 * repository.
 */
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { isInside, realPath } from "../paths/index.ts";
import type { QueryOptions, TreeSync } from "../engine/index.ts";
import { type WorkspaceReader } from "../module/index.ts";
import { findGitRoot, listTree, localPatterns, statEntry, type TreeFilter, type TreeListing } from "../tree/index.ts";

/** Location of a workspace on the host; real paths. */
export interface WorkspacePlace {
  /** The git repository, which no read leaves; outside of any repository the folder itself. */
  root: string;
  /** Folder of the call, where relative paths start. */
  folder: string;
}

/** A function's read of its workspace; `path` is relative to the root, and `.` is the root. */
export type WorkspaceRead =
  | { kind: "directory"; path: string; include: string[]; exclude: string[]; gitignore: boolean }
  | { kind: "file"; path: string }
  /** Only whether the path exists. */
  | { kind: "presence"; path: string };

/** A read and what it found: the entries of a directory, one entry, or none. */
export interface MadeRead {
  read: WorkspaceRead;
  listing: TreeListing;
}

/** An earlier listing with its filter; the read returns exactly that. */
export interface ListedRead {
  filter: TreeFilter;
  listing: TreeListing;
  concerns?: (path: string) => boolean;
}

export interface CallWorkspaceOptions {
  trees: Pick<TreeSync, "directory" | "file">;
  query: QueryOptions;
  /** Returns the earlier listing of a read; undefined to list it now. */
  listed?(read: WorkspaceRead): ListedRead | undefined;
  /** What directories leave out in addition. */
  leaveOut?: TreeFilter["leaveOut"];
  /** Called with absolute paths that have changed since they were listed. */
  onMoved?(paths: readonly string[]): void;
}

export function workspaceAt(cwd: string): WorkspacePlace {
  const folder = realPath(cwd);
  return { root: findGitRoot(folder) ?? folder, folder };
}

/** Returns the filter that decides whether a read would give the same again; fastloop's own state is excluded. */
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

/** Upper bound that keeps a body from filling the CLI's memory. */
const maxReads = 10_000;

export class CallWorkspace implements WorkspaceReader {
  private readonly place: WorkspacePlace;
  private readonly options: CallWorkspaceOptions;
  private readonly made = new Map<string, MadeRead>();

  constructor(place: WorkspacePlace, options: CallWorkspaceOptions) {
    this.place = place;
    this.options = options;
  }

  /** Returns the reads so far, each once, in an order that does not depend on which came first. */
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
        // An engine of 0.21 answers the same, as it reads no configuration of workspaces.
        return false;
      case "configPath":
        return "";
      default:
        throw new Error(
          `Workspace.${field} is not served to functions beside the command line; on a Dagger engine it is, with --via module`,
        );
    }
  }

  /** Git's own files change with every git command, so they are left out. */
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
      // The function may depend on the folder's absence.
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
    // If not, a link on the way led elsewhere when it was listed.
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

  /**
   * Searches upwards from the folder to the root, as an engine does; returns the path of the first match from the root.
   */
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
   * Returns a path as named, and with all links resolved. A read is recorded by the first, as a link on the way may
   * lead elsewhere next time. Throws if either is outside the repository.
   */
  private inside(given: string): { absolute: string; real: string } {
    const { root, folder } = this.place;
    const clean = path.posix.normalize(given);
    const absolute = path.resolve(clean.startsWith("/") ? path.join(root, clean) : path.join(folder, clean));
    return { absolute, real: this.requireInside(absolute, given) };
  }

  /** Returns the real path. */
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
    // The function may have used what was read first.
    if (!this.made.has(key)) this.made.set(key, { read, listing });
  }
}

/** Returns a file as a tree with one entry, or an empty tree. `real` is a resolved path, so a link there is broken. */
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
