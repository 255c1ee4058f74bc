import { watch as watchFolder, type FSWatcher } from "node:fs";
import type { HintListener, HintSource } from "./hints.ts";
import { topmost } from "../tree/index.ts";

/** One recursive `fs.watch` per root: a single handle on macOS and Windows, where the system watches whole trees. */
export function recursiveSource(listener: HintListener, watch: typeof watchFolder = watchFolder): HintSource {
  const watchers = new Map<string, FSWatcher>();
  let folders = new Set<string>();
  return {
    kind: "recursive",
    watch(wanted) {
      // A folder of which only one child matters would be watched with everything in it; the slow timer covers it
      // instead.
      folders = new Set(wanted.filter((folder) => folder.only === undefined).map((folder) => folder.path));
      const roots = topmost(folders);
      let registered = 0;
      for (const root of roots) {
        if (watchers.has(root)) continue;
        try {
          const watcher = watch(root, { recursive: true }, (_event, child) => {
            if (child === null) listener.onHint(root);
            else if (concernsFolder(`${root}/${child.replaceAll("\\", "/")}`)) listener.onHint(`${root}/${child}`);
          });
          watcher.on("error", (error: NodeJS.ErrnoException) => listener.onFailure(error));
          watchers.set(root, watcher);
          registered++;
        } catch (error) {
          listener.onFailure(error as NodeJS.ErrnoException);
        }
      }
      for (const [root, watcher] of watchers) {
        if (roots.has(root)) continue;
        watcher.close();
        watchers.delete(root);
      }
      return registered;
    },
    close() {
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };

  /** Activity in ignored folders (a build, an install) is no hint. */
  function concernsFolder(file: string): boolean {
    return folders.has(file) || folders.has(file.slice(0, Math.max(0, file.lastIndexOf("/"))));
  }
}
