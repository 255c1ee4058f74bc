import path from "node:path/posix";
import { folderAfter, isUnknown, knownAt, madeFolder, type Known, type Unknown } from "../tree/known.ts";
import { kindOf, permissionsOf, withTree } from "../tree/read.ts";
import type { FileEdit } from "../tree/copy.ts";
import { ApiError } from "../values/errors.ts";
import { realPath } from "../tree/real-path.ts";
import { edited, scratch } from "../values/rooted.ts";
import type { Call } from "../request/call.ts";
import type { CopyEdit, Edit, Owner, Tree } from "../values/values.ts";
import { treesOf } from "./trees-of.ts";

export type FolderCopy = Extract<Edit, { action: "copy-directory" }>;

/**
 * A symbolic link to a folder at the place where a copied folder goes. As on a Dagger engine, the content goes into the
 * linked folder and the link stays.
 */
export interface LinkedFolder {
  /** Path of the copied folder in the source, which is also the link's path in the destination. */
  readonly below: string;
  /** Path that the link leads to. */
  readonly at: string;
  /** Mode and owner of the linked folder after the copy. */
  readonly mode: number;
  readonly owner: Owner;
}

/** Facts about a copy's destination that compiling it requires. */
export interface CopyDestination {
  readonly folder?: CopyEdit["folder"];
  readonly links?: readonly LinkedFolder[];
}

/** Facts about a file's destination that compiling its edit requires. */
export interface FileDestination {
  /** A link is there, which the file replaces. */
  readonly replacesLink?: boolean;
  /** Path of the folder that is there or that a link leads to. */
  readonly folder?: string;
  /** Attributes that an existing file keeps. */
  readonly kept?: { mode: number; owner: Owner };
}

/**
 * Inspects the destinations of copies where recipes alone do not show which folder attributes result or which links are
 * in the way. This happens when a tree is about to be compiled; nothing runs for it before.
 */
export class Destinations {
  private readonly answers = new WeakMap<FolderCopy, CopyDestination>();
  private readonly fileAnswers = new WeakMap<FileEdit, FileDestination>();
  /** Trees that have been inspected completely. */
  private readonly done = new WeakSet<Tree>();

  /** Returns the facts about a folder copy. Call `prepare` first. */
  of(edit: FolderCopy): CopyDestination {
    return edit.folder === "like" ? (this.answers.get(edit) ?? {}) : { folder: edit.folder };
  }

  /** Returns the facts about a file edit. Call `prepare` first. */
  ofFile(edit: FileEdit): FileDestination {
    return this.fileAnswers.get(edit) ?? {};
  }

  /** Inspects everything that compiling a tree needs. Independent edits are inspected concurrently. */
  async prepare(call: Call, tree: Tree): Promise<void> {
    const seen = new Set<Tree>();
    const pending: Promise<void>[] = [];
    const stack = [tree];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (seen.has(top) || this.done.has(top)) continue;
      seen.add(top);
      if (top.kind === "edit") {
        const { base, edit } = top;
        if (edit.action === "copy-directory" && edit.folder === "like")
          pending.push(once(call, this.answers, edit, () => inspect(call, base, edit)));
        if ((edit.action === "copy-file" || edit.action === "write") && edit.looked !== undefined)
          pending.push(once(call, this.fileAnswers, edit, () => inspectFile(call, base, edit)));
        stack.push(base);
      }
      stack.push(...treesOf(top));
    }
    await Promise.all(pending);
    for (const each of seen) this.done.add(each);
  }
}

/** Inspects an edit once, however many fields of a request need it. */
function once<E extends Edit, L>(call: Call, answers: WeakMap<E, L>, edit: E, ask: () => Promise<L>): Promise<void> {
  if (answers.has(edit)) return Promise.resolve();
  let look = call.destinationStats.get(edit);
  if (look === undefined) {
    look = ask().then((answer) => void answers.set(edit, answer));
    call.destinationStats.set(edit, look);
  }
  return look;
}

/** Returns what is copied: the source itself, or the part that patterns select as a tree of its own. */
export function chosenOf(edit: FolderCopy): { tree: Tree; path: string } {
  const { source, sourcePath, include, exclude } = edit;
  if (include.length + exclude.length === 0) return { tree: source, path: sourcePath };
  const copy: FolderCopy = { action: "copy-directory", source, sourcePath, path: "/", include, exclude };
  return { tree: edited(scratch, copy), path: "/" };
}

async function inspect(call: Call, base: Tree, edit: FolderCopy): Promise<CopyDestination> {
  const { hostTrees } = call.session;
  const known = knownAt(hostTrees, base, edit.path);
  const at = isUnknown(known)
    ? await realPath(call, { type: "Directory", tree: known.tree, path: known.path })
    : edit.path;
  const there = await seen(call, at === edit.path ? known : knownAt(hostTrees, base, at));
  if (there === undefined) return { folder: at === edit.path && at !== "/" ? "new" : undefined };
  if (there === "other" || there.kind === "file") {
    if (at !== edit.path) throw overFile(edit.path);
    return {};
  }
  const links = await linksIn(call, { tree: base, path: at }, chosenOf(edit), edit);
  const copied = await seen(call, knownAt(hostTrees, edit.source, edit.sourcePath));
  if (at === "/" || copied === undefined || copied === "other") return { links };
  const folder = folderAfter(there, copied, edit);
  return { links, folder: folder && (at === edit.path ? folder : { ...folder, at }) };
}

/** Returns the error for a folder that is copied to a link to something other than a folder. */
function overFile(link: string): ApiError {
  return new ApiError(`cannot copy directory to non-directory ${JSON.stringify(link)}`);
}

async function inspectFile(call: Call, base: Tree, edit: FileEdit): Promise<FileDestination> {
  const known = knownAt(call.session.hostTrees, base, edit.path);
  if (edit.looked === "write") {
    const there = await seen(call, known);
    if (there === undefined || there === "other") return {};
    if (there.kind === "folder") throw new ApiError(`open ${edit.path}: is a directory`);
    return { kept: there };
  }
  if (!isUnknown(known)) return known?.kind === "folder" ? { folder: edit.path } : {};
  const stat = await withTree(call, known.tree, (reader) => reader.stat(known.path, false));
  if (stat === undefined) return known.made === true ? { folder: edit.path } : {};
  if (kindOf(stat) === "DIRECTORY") return { folder: edit.path };
  if (kindOf(stat) !== "SYMLINK") return {};
  const end = await realPath(call, { type: "Directory", tree: known.tree, path: known.path });
  const leadsTo = await seen(call, knownAt(call.session.hostTrees, known.tree, end));
  const isFolder = leadsTo !== undefined && leadsTo !== "other" && leadsTo.kind === "folder";
  return isFolder ? { folder: end } : { replacesLink: true };
}

/** Returns what is at a path, following links. `other` is neither a file nor a folder. */
async function seen(call: Call, known: Known | Unknown | undefined): Promise<Known | "other" | undefined> {
  if (!isUnknown(known)) return known;
  const stat = await withTree(call, known.tree, (reader) => reader.stat(known.path));
  if (stat === undefined) return known.made === true ? madeFolder : undefined;
  const kind = kindOf(stat);
  if (kind !== "DIRECTORY" && kind !== "REGULAR") return "other";
  const owner = { uid: stat.uid, gid: stat.gid };
  return { kind: kind === "DIRECTORY" ? "folder" : "file", mode: permissionsOf(stat), owner };
}

interface Place {
  tree: Tree;
  path: string;
}

/**
 * Finds links in the destination at paths where the source has folders. Only folders that exist on both sides are read.
 */
async function linksIn(
  call: Call,
  there: Place,
  copied: Place,
  asked: { mode?: number; owner?: Owner },
): Promise<LinkedFolder[]> {
  return await withTree(call, copied.tree, async (source) =>
    withTree(call, there.tree, async (target) => {
      const found: LinkedFolder[] = [];
      const stack = [{ below: "", at: there.path }];
      for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
        const entries = await source.list(path.join(copied.path, top.below));
        const folders = entries.filter((entry) => kindOf(entry) === "DIRECTORY");
        if (folders.length === 0) continue;
        const here = new Map((await target.list(top.at)).map((entry) => [path.basename(entry.path), entry]));
        for (const folder of folders) {
          const name = path.basename(folder.path);
          const [below, at] = [path.join(top.below, name), path.join(top.at, name)];
          const entry = here.get(name);
          if (entry === undefined || kindOf(entry) === "REGULAR") continue;
          if (kindOf(entry) === "DIRECTORY") {
            stack.push({ below, at });
            continue;
          }
          const end = await realPath(call, { type: "Directory", tree: there.tree, path: at });
          const stat = await target.stat(end);
          if (stat === undefined) continue;
          if (kindOf(stat) !== "DIRECTORY") throw overFile(at);
          const owner = asked.owner ?? { uid: folder.uid, gid: folder.gid };
          found.push({ below, at: end, mode: asked.mode ?? permissionsOf(folder), owner });
          stack.push({ below, at: end });
        }
      }
      return found;
    }),
  );
}
