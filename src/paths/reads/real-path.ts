import { readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import { statIfThere } from "./if-there.ts";
import { currentRecorder, type ReadRecorder } from "./read-recorder.ts";

/** Returns a path with all symbolic links resolved; the path itself if nothing is there. */
export function realPathIfThere(file: string): string {
  return existingPath(file) ?? file;
}

/** Returns a path with all symbolic links resolved; undefined if nothing is there. */
export function existingPath(file: string): string | undefined {
  const recorder = currentRecorder();
  if (recorder !== undefined) recordWay(path.resolve(file), recorder);
  const real = resolved(file);
  if (recorder !== undefined && real !== file) recordLinks(file, real, recorder);
  return real;
}

function resolved(file: string): string | undefined {
  try {
    return realpathSync.native(file);
  } catch {
    return undefined;
  }
}

/** Records that each folder on the way is none, a folder, or a link. */
function recordWay(file: string, recorder: ReadRecorder): void {
  if (file.length > longestPath) return recorder.doubtful("a path is too long");
  for (let at = file.indexOf("/", 1); at > 0; at = file.indexOf("/", at + 1)) recorder.link(file.slice(0, at));
  recorder.link(file);
}

/** Records the folders on the way of each link that leads from `file` to `real`, which is looked up again afterwards. */
function recordLinks(file: string, real: string | undefined, recorder: ReadRecorder): void {
  const pending = [path.resolve(file)];
  for (let count = 0; pending.length > 0 && count < longestChain; count++) {
    const one = pending.pop()!;
    const link = firstLink(one);
    if (link === undefined) continue;
    const target = path.join(path.resolve(path.dirname(link.at), link.target), one.slice(link.at.length));
    recordWay(target, recorder);
    pending.push(target);
  }
  if (pending.length > 0 || resolved(file) !== real) recorder.doubtful(`${file} moved`);
}

function firstLink(file: string): { at: string; target: string } | undefined {
  const { root } = path.parse(file);
  let at = root;
  for (const name of file.slice(root.length).split(path.sep)) {
    at = path.join(at, name);
    const target = linkTarget(at);
    if (target !== undefined) return { at, target };
  }
  return undefined;
}

/** The kernel follows as many links. */
const longestChain = 40;
/** The kernel finds nothing at a longer path. */
const longestPath = 4096;

/**
 * Returns the real path, even of a missing file: below its nearest existing folder, or at the target of a broken link,
 * which is where writing to it would create it.
 */
export function realPath(file: string, links = longestChain): string {
  const whole = path.resolve(file);
  const { root } = path.parse(whole);
  const names = whole.slice(root.length).split(path.sep);
  const first = (count: number): string => root + names.slice(0, count).join(path.sep);
  const recorder = currentRecorder();
  if (recorder !== undefined) recordWay(whole, recorder);
  let there = statIfThere(whole) === undefined ? 0 : names.length;
  // A configuration may name a path of a million folders, so they are not tried one by one.
  let missing = there > 0 ? there + 1 : leastMissing(names);
  while (missing - there > 1) {
    const middle = (there + missing) >> 1;
    if (statIfThere(first(middle)) === undefined) missing = middle;
    else there = middle;
  }
  const rest = names.slice(there + 1).join(path.sep);
  const target = there < names.length && links > 0 ? linkTarget(first(there + 1)) : undefined;
  if (target !== undefined) return realPath(path.join(path.resolve(first(there), target), rest), links - 1);
  const real = resolved(first(there));
  if (recorder !== undefined && real !== first(there)) recordLinks(first(there), real, recorder);
  return real === undefined ? whole : path.join(real, names.slice(there).join(path.sep));
}

/** Returns a number of the first names with which, as with all of them, nothing can be there. */
function leastMissing(names: readonly string[]): number {
  let length = 0;
  const last = names.findIndex((name) => (length += name.length + 1) > longestPath);
  return last < 0 ? names.length : last + 1;
}

function linkTarget(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
