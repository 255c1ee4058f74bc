import path from "node:path/posix";
import { withTree } from "./read.ts";
import type { Call } from "./session.ts";
import type { Directory } from "./values.ts";

/** The `.gitignore` files of a directory as exclude patterns relative to its root, outer files first. */
export async function gitignorePatterns(call: Call, directory: Directory): Promise<string[]> {
  return await withTree(call, directory.tree, async (reader) => {
    const files = [""];
    for await (const entry of reader.walk(directory.path, (name) => path.basename(name) !== ".git")) {
      if (path.basename(entry.relative) === ".gitignore") files.push(entry.relative);
    }
    files.shift();
    const patterns: string[] = [];
    for (const name of files.toSorted((a, b) => a.split("/").length - b.split("/").length)) {
      const text = (await reader.read(path.join(directory.path, name))).toString("utf8");
      const folder = path.dirname(name) === "." ? "" : path.dirname(name);
      for (const line of text.split(/\r?\n/)) patterns.push(...excludePatterns(line, folder));
    }
    return patterns;
  });
}

/** One line of a `.gitignore` in `folder` in the pattern language of `.dockerignore`. */
export function excludePatterns(line: string, folder: string): string[] {
  let rule = line.replace(/(?<!\\)\s+$/, "");
  if (rule === "" || rule.startsWith("#")) return [];
  const negated = rule.startsWith("!");
  if (negated) rule = rule.slice(1);
  if (rule.startsWith("\\#") || rule.startsWith("\\!")) rule = rule.slice(1);
  const body = rule.replace(/\/+$/, "");
  const anchored = body.slice(0, -1).includes("/") || body.startsWith("/");
  const inFolder = folder === "" ? "" : `${folder}/`;
  const pattern = anchored ? `${inFolder}${body.replace(/^\//, "")}` : `${inFolder}**/${body}`;
  return [`${negated ? "!" : ""}${pattern}`];
}
