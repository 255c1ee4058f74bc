/** Decides whether a program may run with all of the user's rights, depending on who else could have put it there. */
import { lstatSync, readlinkSync, type Stats } from "node:fs";
import path from "node:path";
import { findExecutable } from "./executables.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const sticky = 0o1000;

/** Linux follows as many links. */
const maxLinks = 40;

/**
 * Returns why someone other than root and this user could change or replace a file; undefined if nobody can. Checks
 * every folder and link on the way, including those that a link leads through.
 */
export function changeableByOthers(file: string): string | undefined {
  if (process.getuid === undefined) return undefined;
  let folder = path.parse(path.resolve(file)).root;
  const ahead = [".", ...namesIn(path.isAbsolute(file) ? file : `${process.cwd()}/${file}`)];
  let links = 0;
  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    const place = path.join(folder, name);
    const stats = statsOf(place);
    if (typeof stats === "string") return stats;
    const problem = problemOf(place, stats);
    if (problem !== undefined) return problem;
    if (!stats.isSymbolicLink()) {
      folder = place;
      continue;
    }
    if (++links > maxLinks) return `${file} leads over more than ${maxLinks} links`;
    const target = readlinkSync(place);
    if (path.isAbsolute(target)) folder = path.parse(target).root;
    ahead.unshift(...namesIn(target));
  }
  return undefined;
}

function statsOf(place: string): Stats | string {
  try {
    return lstatSync(place, { throwIfNoEntry: false }) ?? `${place} is not there`;
  } catch (error) {
    return `${place} can't be looked at (${(error as NodeJS.ErrnoException).code})`;
  }
}

const namesIn = (file: string): string[] => file.split("/").filter((name) => name !== "");

function problemOf(place: string, stats: Stats): string | undefined {
  const own = process.getuid?.() ?? 0;
  if (stats.uid !== 0 && stats.uid !== own) return `${place} belongs to another user`;
  // A link has no mode of its own. In a sticky folder such as /tmp, others cannot replace this user's files.
  const isExcused = stats.isSymbolicLink() || (stats.isDirectory() && (stats.mode & sticky) !== 0);
  if (isExcused || (stats.mode & 0o022) === 0) return undefined;
  return `${place} can be written by ${(stats.mode & 0o002) === 0 ? "its group" : "everyone"}`;
}

/** Returns the folders of a PATH that are absolute and that nobody else can write. */
export function safePath(folders: string): string {
  return folders
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder) && changeableByOthers(folder) === undefined)
    .join(path.delimiter);
}

/**
 * Returns the first program on the PATH with this name that nobody else could change, and why others before it were
 * passed over.
 */
export function findSafeExecutable(
  name: string,
  env: Environment = process.env,
): { file: string | undefined; passedOver: string[] } {
  const passedOver: string[] = [];
  for (const folder of new Set((env["PATH"] ?? "").split(path.delimiter))) {
    const file = path.isAbsolute(folder) ? findExecutable(name, { PATH: folder }) : undefined;
    if (file === undefined) continue;
    const problem = changeableByOthers(file);
    if (problem === undefined) return { file, passedOver };
    passedOver.push(`${file}: ${problem}`);
  }
  return { file: undefined, passedOver };
}
