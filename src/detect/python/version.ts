/** Chooses the Python that a project is tested with. */
import { satisfies, validRange } from "semver";

/** Minor versions of Python 3 with images; the first ones are preferred. */
const minors = [11, 12, 13, 14, 10, 9];

/** Returns the Python versions that a setup.cfg requires. */
export const requiresPython = (text: string): string =>
  /^\s*python_requires\s*=\s*([^\n]+)/m.exec(text)?.[1]?.trim() ?? "";

/** Returns the image of the Python that a project pins or allows; undefined for the preset's. */
export function pythonImage(pinned: string, requires: string, available: readonly number[]): string | undefined {
  const minor = pythonMinor(pinned, requires, available) ?? 11;
  return minor === 11 ? undefined : `python:3.${minor}-slim-bookworm`;
}

/**
 * Returns the Python that uv has to use, if a `.python-version` names another than the one chosen: uv would download that
 * one in each run.
 */
export function pythonOverride(pinned: string, requires: string, available: readonly number[]): string | undefined {
  const exact = pinnedMinor(pinned);
  const minor = pythonMinor(pinned, requires, available);
  return exact === undefined || minor === undefined || exact === minor ? undefined : `3.${minor}`;
}

/** Returns a note if no requested Python is available. */
export function unmetPython(pinned: string, requires: string, available: readonly number[]): string | undefined {
  const minor = pythonMinor(pinned, requires, available);
  const instead = pythonOverride(pinned, requires, available);
  if (instead !== undefined)
    return `.python-version names ${pinned.trim()}, and no image registry can be reached: the tests run with ${instead} of this machine's own image, which \`requires-python\` allows`;
  if (minor === undefined)
    return `no Python that there is an image of satisfies \`${requires}\`: 3.11 is taken; \`image\` of the suite names another`;
  return available.length === 0 || available.includes(minor)
    ? undefined
    : `Python ${requires} is wanted, and no image registry can be reached: this machine's own image has 3.${available.join(", 3.")}; \`image\` of the suite names one that has 3.${minor}`;
}

/** Returns undefined if no version with an image satisfies the project. */
function pythonMinor(pinned: string, requires: string, available: readonly number[]): number | undefined {
  const exact = pinnedMinor(pinned);
  const range = requires
    .replaceAll(/\s/g, "")
    .split(",")
    .map((part) =>
      part
        .replace(/^~=(\d+)\.(\d+).*$/, ">=$1.$2 <4")
        .replace(/^==(\d+\.\d+)\.\*$/, "~$1")
        .replace(/^!=.*$/, "")
        .replace(/\.\*$/, ""),
    )
    .join(" ");
  const allows = (minor: number): boolean =>
    validRange(range) === null || satisfies(`3.${minor}.99`, range) || satisfies(`3.${minor}.0`, range);
  return exact !== undefined && (available.length === 0 || available.includes(exact))
    ? exact
    : [...available, ...minors].find(allows);
}

function pinnedMinor(pinned: string): number | undefined {
  const minor = /^(?:cpython-)?3\.(\d+)/.exec(pinned.trim())?.[1];
  return minor === undefined ? undefined : Number(minor);
}
