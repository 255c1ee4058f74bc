import { readlinkSync, realpathSync } from "node:fs";
import path from "node:path";

/** Returns a path with all symbolic links resolved; the path itself if nothing is there. */
export function realPathIfThere(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file;
  }
}

/** The kernel follows as many links. */
const longestChain = 40;

/**
 * Returns the real path, even of a missing file: below its nearest existing folder, or at the target of a broken link,
 * which is where writing to it would create it.
 */
export function realPath(file: string, links = longestChain): string {
  const missing: string[] = [];
  for (let at = path.resolve(file); ; at = path.dirname(at)) {
    try {
      return path.join(realpathSync.native(at), ...missing);
    } catch {
      const target = linkTarget(at);
      if (target !== undefined && links > 0)
        return realPath(path.join(path.resolve(path.dirname(at), target), ...missing), links - 1);
      if (at === path.dirname(at)) return path.resolve(file);
      missing.unshift(path.basename(at));
    }
  }
}

function linkTarget(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
