import { existsSync } from "node:fs";
import path from "node:path";
import { suggest } from "../../config/index.ts";
import { namesIfThere } from "../../paths/index.ts";
import { listTree, PatternMatcher } from "../../tree/index.ts";
import { cleaned, firstLink, literalHead } from "./patterns-read.ts";
import { realIfPresent } from "./scanned-input.ts";
import { stateFolder } from "./target-input.ts";
import { followLink } from "./follow-link.ts";

/** No path is longer, so neither is a sensible pattern. */
const longestPath = 4096;

/** Returns what was probably meant, as the end of a sentence. */
export function suggestionFor(pattern: string, root: string, ignored: readonly string[]): string {
  if (pattern.length > longestPath) return ": nothing of that name is there";
  const at = cleaned(pattern);
  const braces = /^(.*)\{([^{}]*,[^{}]*)\}(.*)$/.exec(pattern);
  if (braces !== null)
    return `: braces are no wildcards; write ${braces[2]!
      .split(",")
      .map((part) => quoted(`${braces[1]}${part}${braces[3]}`))
      .join(" and ")}`;
  const link = linkWithoutEnd(at, root);
  if (link !== undefined) return link;
  if (/\[.*\]/.test(at)) {
    const escaped = pattern.replaceAll(/[[\]]/g, String.raw`\$&`);
    if (existsSync(path.join(root, at)) || isThere(escaped, root))
      return `: [ ] stands for one of these characters; for this very name write '${escaped}'`;
  }
  if (/[@?*+!]\([^()]*\)/.test(at) && isThere(at.replaceAll(/[@?*+!]\([^()]*\)/g, "*"), root))
    return ": names in round brackets are no wildcards; write an entry for each";
  if (at.includes("\\") && isThere(at.replaceAll("\\", "/"), root))
    return `: a backslash makes the next character mean itself; write ${quoted(pattern.replaceAll("\\", "/"))}`;
  const hidden = leftOut(pattern, root, ignored);
  if (hidden !== undefined) return hidden;
  if (
    !at.includes("/") &&
    /[*?]/.test(at) &&
    listTree(root, { include: [`**/${at}`], leaveOut: "ignored" }).entries.length > 0
  )
    return ` in the project's own folder; for those in folders below write ${quoted(`**/${at}`)}`;
  const near = nearest(at, root);
  return near === undefined
    ? ": nothing of that name is there"
    : `; did you mean ${quoted(pattern.endsWith("/") ? `${near}/` : near)}?`;
}

/** Reports whether a pattern matches anything, ignored files included. */
function isThere(pattern: string, root: string): boolean {
  const matcher = new PatternMatcher([pattern]);
  return listTree(root, { include: [pattern], exclude: [stateFolder] }).entries.some((entry) =>
    matcher.matches(entry.path),
  );
}

/** Explains an entry at or behind a link that is broken or leads out of the project. */
function linkWithoutEnd(at: string, root: string): string | undefined {
  const link = firstLink(at, root);
  if (link === undefined) return undefined;
  const { target } = followLink(realIfPresent(root), link);
  if (!existsSync(path.join(root, link))) return `: ${quoted(link)} is a link that leads nowhere`;
  return target === undefined
    ? `: ${quoted(link)} is a link out of the project, and what is there is not looked at`
    : undefined;
}

/** Suggests the most similar existing folder for an entry whose folder does not exist. */
export function nearFolder(pattern: string, root: string): string | undefined {
  const folder = path.posix.dirname(literalHead(pattern));
  if (folder === "." || existsSync(path.join(root, folder))) return undefined;
  const near = nearest(folder, root);
  return near === undefined || !existsSync(path.join(root, near))
    ? undefined
    : `${near}${cleaned(pattern).slice(folder.length)}`;
}

/** Explains an entry with matches that are all ignored. */
function leftOut(pattern: string, root: string, ignored: readonly string[]): string | undefined {
  const names = (exclude: readonly string[]): string[] => {
    const matcher = new PatternMatcher([pattern]);
    return listTree(root, { include: [pattern], exclude: ["**/.git", "**/node_modules", stateFolder, ...exclude] })
      .entries.filter((entry) => entry.type !== "directory" && matcher.matches(entry.path))
      .map((entry) => entry.path);
  };
  const there = names([]);
  if (there.length === 0) return undefined;
  const few = there.slice(0, 3).map(quoted).join(", ");
  if (names(ignored).length === 0) return `: watch.ignore leaves ${few} out`;
  return `: git ignores ${there.length === 1 ? few : `all ${there.length} (${few}${there.length > 3 ? ", ..." : ""})`}, and a wildcard does not reach what is ignored; name it: inputs: [${there.slice(0, 3).map(quoted).join(", ")}]`;
}

/** Returns the path with its first missing segment replaced by the most similar name. */
function nearest(at: string, root: string): string | undefined {
  const segments = at.split("/");
  for (const [index, segment] of segments.entries()) {
    const folder = path.join(root, ...segments.slice(0, index));
    if (existsSync(path.join(folder, segment))) continue;
    const near = suggest(
      segment,
      namesIfThere(folder).filter((name) => !name.startsWith(".") || segment.startsWith(".")),
    );
    return near === undefined ? undefined : [...segments.slice(0, index), near, ...segments.slice(index + 1)].join("/");
  }
  return undefined;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
