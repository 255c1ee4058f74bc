import chokidar from "chokidar";
import type { HintListener, HintSource } from "./hints.ts";
import { isExhausted } from "./folder-source.ts";
import { topmost } from "./topmost.ts";

/** chokidar as a source of hints; what the scan does not enter is never registered with it. */
export function chokidarSource(listener: HintListener): HintSource {
  const roots = new Set<string>();
  let folders = new Set<string>();
  const watcher = chokidar.watch([], {
    ignoreInitial: true,
    followSymlinks: false,
    // A folder is decided by its name alone: at that moment the scan that enters it may not have run.
    ignored: (file) => ![...roots].includes(file) && !folders.has(file) && !folders.has(file.slice(0, file.lastIndexOf("/"))),
  });
  watcher.on("all", (_event, file) => listener.onHint(file));
  watcher.on("error", (error) => {
    if (isExhausted(error as NodeJS.ErrnoException)) listener.onFailure(error as NodeJS.ErrnoException);
  });
  return {
    kind: "chokidar",
    watch(wanted) {
      const before = folders;
      folders = new Set(wanted.map((folder) => folder.path));
      for (const root of topmost(folders)) roots.add(root);
      const added = [...folders].filter((folder) => !before.has(folder));
      const removed = [...before].filter((folder) => !folders.has(folder));
      if (added.length > 0) watcher.add(added.filter((folder) => roots.has(folder) || before.size > 0));
      if (removed.length > 0) watcher.unwatch(removed);
      return added.length;
    },
    close() {
      void watcher.close();
    },
  };
}
