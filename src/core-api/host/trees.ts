import { createHash } from "node:crypto";
import { lstatSync, realpathSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import {
  compareTreePaths,
  listTree,
  makeFolders,
  statEntry,
  listTreeSteps,
  treeStatDigestSteps,
  type TreeFilter,
  type TreeListing,
} from "../../tree/index.ts";
import type { BuildkitClient } from "../../buildkit/types.ts";
import { inSlices } from "../../async/index.ts";
import { ApiError } from "../values/errors.ts";
import type { Known, Unknown } from "../tree/known.ts";
import type { HostTree } from "../values/values.ts";

interface Serving {
  tree: HostTree;
  entries: TreeListing["entries"];
  release(): void;
}

/** Snapshots of host folders. Each folder is read once per session, unless `noCache` asks to read it again. */
export class HostTrees {
  private readonly client: BuildkitClient;
  private readonly workdir: string;
  private readonly home: string;
  /** Umask of the client. */
  readonly umask: number;
  private readonly onUnreadable: (text: string) => void;
  /** Latest snapshot by root and filter. */
  private readonly byRequest = new Map<string, Promise<Serving>>();
  /** All snapshots that are being served. */
  private readonly servings = new Set<Serving>();

  constructor(
    client: BuildkitClient,
    { workdir, home, umask = 0o022 }: { workdir: string; home: string; umask: number | undefined },
    onUnreadable: (text: string) => void,
  ) {
    this.client = client;
    this.workdir = workdir;
    this.home = home;
    this.umask = umask;
    this.onUnreadable = onUnreadable;
  }

  /** Returns the absolute host path of a path that the client named; `~` is the client's home. */
  resolve(name: string): string {
    const inHome = name === "~" || name.startsWith("~/");
    return inHome ? path.join(this.home, name.slice(1)) : path.resolve(this.workdir, name);
  }

  /** Creates the folder of an export and its parents, with the modes that the client itself would give them. */
  makeFolders(folder: string): void {
    makeFolders(folder, 0o777 & ~this.umask);
  }

  async directory(name: string, filter: TreeFilter, noCache: boolean, signal: AbortSignal): Promise<HostTree> {
    const root = this.resolve(name);
    const list = (): Promise<TreeListing> => this.list(name, root, filter, signal);
    return await this.snapshot(root, JSON.stringify([root, filter]), noCache, list, { signal });
  }

  /** Returns a file in a tree that contains nothing else. */
  async file(name: string, noCache: boolean): Promise<{ tree: HostTree; path: string }> {
    const absolute = this.resolve(name);
    const folder = path.dirname(absolute);
    const base = path.basename(absolute);
    const tree = await this.snapshot(folder, JSON.stringify(["file", absolute]), noCache, () =>
      this.listFile(name, folder, base),
    );
    return { tree, path: `/${base}` };
  }

  /** Returns what a snapshot's listing says about a path; undefined when nothing is there. */
  entryAt(tree: HostTree, name: string): Known | Unknown | undefined {
    const serving = [...this.servings].find(
      (each) => each.tree.sessionId === tree.sessionId && each.tree.localName === tree.localName,
    );
    if (serving === undefined) return { tree, path: name };
    // Check parents first: the listing does not cover what is below a symbolic link, and nothing is below a file.
    const parts = name.slice(1).split("/");
    for (let count = 1; count <= parts.length; count++) {
      const entry = entryIn(serving.entries, parts.slice(0, count).join("/"));
      if (entry === undefined) return undefined;
      if (entry.type === "symlink" || (entry.type === "file" && count < parts.length)) return { tree, path: name };
      const kind = entry.type === "directory" ? "folder" : "file";
      if (count < parts.length) continue;
      return { kind, mode: entry.mode & (kind === "folder" ? 0o7777 : 0o777), owner: { uid: 0, gid: 0 } };
    }
    return undefined;
  }

  /** Snapshots a folder of fastloop's own, which reporters hide. */
  async internal(root: string, label: string): Promise<HostTree> {
    return await this.snapshot(root, JSON.stringify(["internal", root]), false, () => listTree(root), { label });
  }

  /** Returns a file with this content. BuildKit identifies it by the content, so it is the same in every session. */
  async content(contents: string, folder: string): Promise<{ tree: HostTree; path: string }> {
    const hash = createHash("sha256").update(contents).digest("hex");
    const key = JSON.stringify(["content", hash]);
    let pending = this.byRequest.get(key);
    if (pending === undefined) {
      const root = path.join(folder, hash);
      await mkdir(root, { recursive: true });
      await writeFile(path.join(root, "content"), contents, { mode: 0o644 });
      pending = this.serve(root, key, listTree(root), "large file", `content-${hash}`);
      this.byRequest.set(key, pending);
    }
    return { tree: (await pending).tree, path: "/content" };
  }

  /**
   * Snapshots a folder of fastloop's own. BuildKit identifies it by `digest`, which stands for its content, so it is
   * the same in every session.
   */
  async known(root: string, name: string, digest: string): Promise<HostTree> {
    const { tree } = await this.serve(root, JSON.stringify(["known", digest]), listTree(root), undefined, digest);
    return { ...tree, name };
  }

  close(): void {
    for (const serving of this.servings) serving.release();
    this.servings.clear();
    this.byRequest.clear();
  }

  private async snapshot(
    root: string,
    key: string,
    noCache: boolean,
    list: () => TreeListing | Promise<TreeListing>,
    { label, signal = never }: { label?: string; signal?: AbortSignal } = {},
  ): Promise<HostTree> {
    for (;;) {
      let pending = noCache ? undefined : this.byRequest.get(key);
      const isOwn = pending === undefined;
      if (pending === undefined) {
        const made = Promise.resolve(list()).then((listing) =>
          this.serve(root, key, listing, label, undefined, signal),
        );
        pending = made;
        // As on a Dagger engine, only the caller with `noCache` sees the new snapshot; the session keeps the old one.
        if (!noCache) this.byRequest.set(key, made);
        made.catch(() => this.byRequest.get(key) === made && this.byRequest.delete(key));
      }
      try {
        return (await pending).tree;
      } catch (error) {
        // The request that started the listing was canceled, which stopped the listing. This one lists the folder
        // itself.
        if (isOwn || signal.aborted || !(error instanceof GivenUp)) throw error;
      }
    }
  }

  private async serve(
    root: string,
    key: string,
    listing: TreeListing,
    internal: string | undefined,
    known?: string,
    signal = never,
  ): Promise<Serving> {
    for (const { path: name, reason } of listing.unreadable) this.onUnreadable(`${path.join(root, name)}: ${reason}`);
    const digest = known ?? (await givenUpWith(signal, inSlices(treeStatDigestSteps(listing), signal)));
    const served = await this.client.serveTree({
      root: listing.root,
      entries: listing.entries,
      sharedKeyHint: `${key}\0${folderModes(listing.entries)}`,
      digest,
    });
    const tree: HostTree = {
      kind: "host",
      digest,
      sessionId: served.sessionId,
      localName: served.name,
      name: internal ?? (path.relative(this.workdir, root) || "."),
      entryCount: listing.entries.length,
      internal: internal !== undefined,
    };
    const serving = { tree, entries: listing.entries, release: () => served.release() };
    this.servings.add(serving);
    return serving;
  }

  private async list(name: string, root: string, filter: TreeFilter, signal: AbortSignal): Promise<TreeListing> {
    try {
      if (!lstatSync(realpathSync(root)).isDirectory()) throw new ApiError(`host directory ${name}: not a directory`);
      return await givenUpWith(signal, inSlices(listTreeSteps(root, filter), signal));
    } catch (error) {
      throw hostError(name, root, error);
    }
  }

  private listFile(name: string, folder: string, base: string): TreeListing {
    try {
      // A link is followed, wherever it leads; the file keeps the link's name.
      const real = realpathSync(path.join(folder, base));
      const root = path.dirname(real);
      const entry = statEntry(root, path.basename(real));
      if (entry === undefined) throw new ApiError(`path ${name} is neither a file nor a directory`);
      if (entry.type !== "file") throw new ApiError(`path ${name} is a directory, not a file`);
      return {
        root,
        entries: [entry.path === base ? entry : { ...entry, path: base, contentPath: entry.path }],
        unreadable: [],
      };
    } catch (error) {
      throw hostError(name, path.join(folder, base), error);
    }
  }
}

/**
 * Returns the folders' modes: the most common one, and the folders that differ from it. BuildKit keeps a copy of the
 * last transfer, in which a folder whose mode alone changed keeps its old digest, because fsutil does not report such a
 * change. A tree with other modes therefore gets another key and is sent again.
 */
function folderModes(entries: TreeListing["entries"]): string {
  const folders = entries.filter(({ type }) => type === "directory");
  const counts = new Map<number, number>();
  for (const { mode } of folders) counts.set(mode, (counts.get(mode) ?? 0) + 1);
  const [usual] = [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), [0, 0]);
  return JSON.stringify([usual, folders.flatMap(({ path: name, mode }) => (mode === usual ? [] : [name, mode]))]);
}

/** A signal that is never aborted. */
const never = new AbortController().signal;

/** The request that wanted the result was canceled. */
class GivenUp extends ApiError {
  constructor(cause: unknown) {
    super("canceled", {}, cause);
  }
}

async function givenUpWith<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw signal.aborted ? new GivenUp(error) : error;
  }
}

function hostError(name: string, absolute: string, error: unknown): unknown {
  if (error instanceof ApiError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR")
    return new ApiError(`host path ${name} (${absolute}): no such file or directory`, {}, error);
  if (code === "EACCES" || code === "ELOOP") return new ApiError(`host path ${name} (${absolute}): ${code}`, {}, error);
  if (error instanceof UserError) return new ApiError(error.format(), {}, error);
  return error;
}

/** Finds an entry by binary search; a listing is sorted by `compareTreePaths`. */
function entryIn(entries: TreeListing["entries"], wanted: string): TreeListing["entries"][number] | undefined {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareTreePaths(entries[middle]!.path, wanted) < 0) low = middle + 1;
    else high = middle;
  }
  return entries[low]?.path === wanted ? entries[low] : undefined;
}
