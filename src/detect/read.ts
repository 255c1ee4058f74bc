import { existsSync, lstatSync } from "node:fs";
import path from "node:path";
import { readRegular } from "../paths/index.ts";
import { listTree } from "../tree/index.ts";
import type { ProjectFiles } from "./types.ts";

/** A manifest or a test is smaller; what is larger is read as empty. */
const maxSizeBytes = 4 * 1024 * 1024;

/** The files below `root` that git tracks or would track, by its index and the ignore files: no program is asked. */
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

/** No author writes so many blanks in a row; a pattern that goes back over a megabyte of them takes minutes. */
export const withoutLongBlanks = (text: string): string => text.replaceAll(/\s{200,}/g, (run) => run.slice(0, 200));

function projectFiles(root: string): string[] {
  const exclude = ["**/.git", "**/node_modules", "**/.venv", "**/.fastloop"];
  const { entries } = listTree(root, { exclude, leaveOut: "ignored" });
  // What lies in a submodule, or in another repository, is not this project's.
  let other = "";
  return entries.flatMap(({ path: file, type }) => {
    if (other !== "" && file.startsWith(other)) return [];
    if (type !== "directory") return [file];
    if (existsSync(path.join(root, file, ".git"))) other = `${file}/`;
    return [];
  });
}
