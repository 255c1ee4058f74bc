import { existsSync, lstatSync } from "node:fs";
import path from "node:path";
import { readRegular } from "../paths/index.ts";
import { listTree } from "../tree/index.ts";
import type { ProjectFiles } from "./types.ts";

/** Size limit in bytes; manifests and tests are smaller, and larger files count as empty. */
const maxSizeBytes = 4 * 1024 * 1024;

/**
 * Lists the files below `root` that git tracks or would track, using its index and ignore files without running git.
 */
export function readProjectFiles(root: string): ProjectFiles {
  const list = projectFiles(root).toSorted();
  const texts = new Map<string, string>();
  const known = new Set(list);
  return {
    list,
    read(file) {
      let text = texts.get(file);
      if (text === undefined) texts.set(file, (text = known.has(file) ? readText(path.join(root, file)) : ""));
      return text;
    },
  };
}

function readText(file: string): string {
  try {
    if (!lstatSync(file).isFile()) return "";
    return withoutLongBlanks(readRegular(file, { maxBytes: maxSizeBytes }).toString("utf8"));
  } catch {
    return "";
  }
}

/** Shortens runs of blanks, which no author writes: a pattern that backtracks over a megabyte of them takes minutes. */
export const withoutLongBlanks = (text: string): string => text.replaceAll(/\s{200,}/g, (run) => run.slice(0, 200));

function projectFiles(root: string): string[] {
  const exclude = ["**/.git", "**/node_modules", "**/.venv", "**/.fastloop"];
  const { entries } = listTree(root, { exclude, leaveOut: "ignored" });
  // Submodules and other repositories are not part of this project.
  let other = "";
  return entries.flatMap(({ path: file, type }) => {
    if (other !== "" && file.startsWith(other)) return [];
    if (type !== "directory") return [file];
    if (existsSync(path.join(root, file, ".git"))) other = `${file}/`;
    return [];
  });
}
