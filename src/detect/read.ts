import { execFileSync } from "node:child_process";
import { lstatSync, readFileSync } from "node:fs";
import path from "node:path";
import { listTree } from "../tree/index.ts";
import type { ProjectFiles } from "./types.ts";

/** A manifest or a test is smaller; what is larger is read as empty. */
const maxSizeBytes = 4 * 1024 * 1024;

/** The files below `root` that git tracks or would track; without git those that no ignore file names. */
export function readProjectFiles(root: string): ProjectFiles {
  const list = (trackedFiles(root) ?? walkedFiles(root))
    .filter((file) => !/(?:^|\/)(?:node_modules|\.fastloop)\//.test(file))
    .toSorted();
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
    const stats = lstatSync(file);
    return stats.isFile() && stats.size <= maxSizeBytes ? readFileSync(file, "utf8") : "";
  } catch {
    return "";
  }
}

function trackedFiles(root: string): string[] | undefined {
  try {
    // A clone's own configuration must not name a program that git starts.
    const words = ["-c", "core.fsmonitor=false", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    const files = execFileSync("git", words, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      maxBuffer: 256 * 1024 * 1024,
    }).split("\0");
    return [...new Set(files.filter((file) => file !== ""))];
  } catch {
    return undefined;
  }
}

const walkedFiles = (root: string): string[] =>
  listTree(root, { exclude: ["**/.git", "**/node_modules", "**/.venv"], gitignore: true })
    .entries.filter((entry) => entry.type === "file")
    .map((entry) => entry.path);
