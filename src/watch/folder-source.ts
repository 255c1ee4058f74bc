import { watch as watchFolder, type FSWatcher } from "node:fs";
import path from "node:path";
import type { HintListener, HintSource, WatchedFolder } from "./hints.ts";

const persistent = { persistent: true };

/**
 * One non-recursive `fs.watch` per folder. On Linux this loses no events of atomic saves, `mkdir -p` and quick second
 * writes, and starts in a tenth of the time and a third of the memory of watching single files.
 */
export function folderSource(listener: HintListener, watch: typeof watchFolder = watchFolder): HintSource {
  const watchers = new Map<string, { watcher: FSWatcher; identity: bigint; only: string | undefined }>();
  let closed = false;

  const drop = (folder: string): void => {
    const known = watchers.get(folder);
    watchers.delete(folder);
    known?.watcher.close();
  };

  // One function for all folders: with ten thousand of them, a closure for each is noticeable in memory.
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
      // The event names a child, or the folder itself if that was moved or deleted, which may have ended the kernel's
      // watch.
      const isItself = child === null || child === path.basename(folder);
      if (isItself) drop(folder);
      else if (only !== undefined && child !== only) return;
      if (isItself) listener.onHint(folder);
      if (child !== null) listener.onHint(`${folder}/${child}`);
    });
    watcher.on("error", failed);
    watchers.set(folder, { watcher, identity, only });
  };

  /** Returns whether the watch is new; false also if the folder is gone or unreadable, which the scan reports. */
  const ensure = (folder: WatchedFolder): boolean => {
    const known = watchers.get(folder.path);
    if (known?.identity === folder.identity && known.only === folder.only) return false;
    if (known !== undefined) drop(folder.path);
    try {
      register(folder);
      return true;
    } catch (error) {
      // Out of watches: another source has to take over.
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

/** Reports whether a kernel limit was reached: watches per user, or open files. */
export function isExhausted(error: NodeJS.ErrnoException): boolean {
  return error.code === "ENOSPC" || error.code === "EMFILE" || error.code === "ENFILE";
}
