import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import path from "node:path";

/** Where nothing is followed to: what is installed, git's own, ours. */
const elsewhere = new Set(["node_modules", ".git", ".fastloop"]);

/** The kernel gives up there, too. */
const maxLinks = 40;

/** The way that a path takes through links. */
export interface WayOfLink {
  /** The links on it, in order, as far as they lie in the project. */
  links: string[];
  /** Where it ends, there or not yet; undefined outside of the project, in what is never followed, and where it has no end. */
  target: string | undefined;
}

/** Follows a path below `root`, a real path, link by link: each of them decides where it leads. Paths are relative to it. */
export function wayOfLink(root: string, link: string): WayOfLink {
  const links: string[] = [];
  const way = (target: string | undefined): WayOfLink => ({
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

/** Links may lead out of the project and in again. */
function realBelow(root: string, link: string): string | undefined {
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
  try {
    return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(file) : undefined;
  } catch {
    return undefined;
  }
}
