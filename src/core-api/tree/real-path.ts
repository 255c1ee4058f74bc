import path from "node:path/posix";
import { ApiError } from "../values/errors.ts";
import { kindOf, withTree } from "./read.ts";
import type { Call } from "../request/call.ts";
import type { Directory } from "../values/values.ts";

/** Maximum number of links to follow, as in the kernel. */
const mostLinks = 40;

/**
 * Follows the links at the end of a directory's path, inside its tree. A missing folder keeps its path. Throws an
 * `ApiError` after too many links.
 */
export async function realPath(call: Call, directory: Directory): Promise<string> {
  if (directory.path === "/") return "/";
  return await withTree(call, directory.tree, async (reader) => {
    let place = directory.path;
    for (let links = 0; place !== "/"; links++) {
      const stat = await reader.stat(place, false);
      if (stat === undefined || kindOf(stat) !== "SYMLINK") return place;
      if (links === mostLinks) throw new ApiError(`open ${directory.path}: too many levels of symbolic links`);
      place = path.join("/", path.resolve(path.dirname(place), stat.linkname));
    }
    return place;
  });
}
