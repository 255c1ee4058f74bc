import { watch as watchFolder, type FSWatcher } from "node:fs";
import path from "node:path";
import type { HintListener, HintSource, WatchedFolder } from "./hints.ts";

const persistent = { persistent: true };

/**
 * One non-recursive `fs.watch` per folder: on Linux the way that loses nothing in atomic saves, `mkdir -p` and quick
 * second writes, starts in a tenth of the time and a third of the memory of watching files one by one.
 */
export function folderSource(listener: HintListener, watch: typeof watchFolder = watchFolder): HintSource {
  const watchers = new Map<string, { watcher: FSWatcher; identity: bigint; only: string | undefined }>();
  let closed = false;

  const drop = (folder: string): void => {
    const known = watchers.get(folder);
    watchers.delete(folder);
    known?.watcher.close();
  };

  // One for all: with ten thousand folders every function of their own shows in the memory.
  const failed = function (this: FSWatcher, error: NodeJS.ErrnoException): void {
    const folder = [...watchers].find(([, known]) => known.watcher === this)?.[0];
    if (folder === undefined) return;
    drop(folder);
    if (closed) return;
    if (isExhausted(error)) listener.onFailure(error);
    else listener.onHint(folder);
  };

  const register = ({ path: folder, identity, only }: WatchedFolder): void => {
    const watcher = watch(folder, persistent, (_event, child) => {
      if (closed || watchers.get(folder)?.watcher !== watcher) return;
      // A child, or the folder itself when it was moved or deleted: the kernel's watch may be gone with it.
      const isItself = child === null || child === path.basename(folder);
      if (isItself) drop(folder);
      else if (only !== undefined && child !== only) return;
      if (isItself) listener.onHint(folder);
      if (child !== null) listener.onHint(`${folder}/${child}`);
    });
    watcher.on("error", failed);
    watchers.set(folder, { watcher, identity, only });
  };

  /** Whether it is a new watch; false also where the folder is gone or unreadable by now: the scan says so. */
  const ensure = (folder: WatchedFolder): boolean => {
    const known = watchers.get(folder.path);
    if (known?.identity === folder.identity && known.only === folder.only) return false;
    if (known !== undefined) drop(folder.path);
    try {
      register(folder);
      return true;
    } catch (error) {
      // Out of watches: somebody else has to do it.
      if (isExhausted(error as NodeJS.ErrnoException)) listener.onFailure(error as NodeJS.ErrnoException);
      return false;
    }
  };

  return {
    kind: "folders",
    add(folder) {
      if (!closed) ensure(folder);
    },
    watch(folders) {
      const wanted = new Set<string>();
      let registered = 0;
      for (const folder of folders) {
        wanted.add(folder.path);
        if (closed) return registered;
        if (ensure(folder)) registered++;
      }
      for (const folder of watchers.keys()) if (!wanted.has(folder)) drop(folder);
      return registered;
    },
    close() {
      closed = true;
      for (const folder of watchers.keys()) drop(folder);
    },
  };
}

/** The kernel's limits: watches per user, or open files. */
export function isExhausted(error: NodeJS.ErrnoException): boolean {
  return error.code === "ENOSPC" || error.code === "EMFILE" || error.code === "ENFILE";
}
