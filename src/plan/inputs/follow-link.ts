import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import { currentRecorder } from "../../paths/index.ts";

/** Folders that links are not followed into: installed packages, git's and fastloop's own. */
const elsewhere = new Set(["node_modules", ".git", ".fastloop"]);

/** The kernel gives up at the same number. */
const maxLinks = 40;

/** The path that a link takes through other links. */
export interface FollowedLink {
  /** Links on the way, in order, as far as they are in the project. */
  links: string[];
  /**
   * Final target, existing or not; undefined if it is outside the project, in a folder that is never followed into, or
   * in a loop.
   */
  target: string | undefined;
}

/**
 * Follows a path below `root`, a real path, link by link, as each of them decides where it leads. Paths are relative to
 * `root`.
 */
export function followLink(root: string, link: string): FollowedLink {
  const links: string[] = [];
  const way = (target: string | undefined): FollowedLink => ({
    links: links.filter(isFollowed),
    target: target !== undefined && isFollowed(target) ? target : undefined,
  });
  let rest = link.split("/");
  const at: string[] = [];
  while (rest.length > 0) {
    const [name, ...below] = rest;
    rest = below;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (at.pop() === undefined) return way(realBelow(root, link));
      continue;
    }
    at.push(name!);
    const text = linkText(path.join(root, ...at));
    if (text === undefined) continue;
    links.push(at.join("/"));
    if (links.length > maxLinks) return way(undefined);
    at.pop();
    if (!path.isAbsolute(text)) rest = [...text.split("/"), ...rest];
    else if (text.startsWith(`${root}/`)) {
      at.length = 0;
      rest = [...text.slice(root.length + 1).split("/"), ...rest];
    } else return way(realBelow(root, link));
  }
  return way(at.join("/"));
}

function isFollowed(at: string): boolean {
  return at !== "" && !at.split("/").some((segment) => elsewhere.has(segment));
}

/** Handles links that lead out of the project and back in. */
function realBelow(root: string, link: string): string | undefined {
  currentRecorder()?.doubtful(`${link} leads out of the project`);
  try {
    const real = path
      .relative(root, realpathSync.native(path.join(root, link)))
      .split(path.sep)
      .join("/");
    return real.split("/")[0] === ".." ? undefined : real;
  } catch {
    return undefined;
  }
}

function linkText(file: string): string | undefined {
  currentRecorder()?.link(file);
  try {
    return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(file) : undefined;
  } catch {
    return undefined;
  }
}
