import path from "node:path/posix";
import { copyDirectory } from "../tree/copy.ts";
import { withTree } from "../tree/read.ts";
import { emptyDirectory, scratch } from "../values/rooted.ts";
import type { Call } from "../request/call.ts";
import type { Directory } from "../values/values.ts";

const maxIgnoreFileBytes = 2 * 1024 * 1024;

/**
 * Returns a build context without the paths that its `.dockerignore` excludes. `DOCKERFILE.dockerignore` takes
 * precedence over `.dockerignore`.
 */
export async function withoutIgnored(call: Call, context: Directory, dockerfile: string): Promise<Directory> {
  const text = await withTree(call, context.tree, async (reader) => {
    for (const name of [`${dockerfile}.dockerignore`, path.join(context.path, ".dockerignore")]) {
      const content = (await reader.stat(name)) === undefined ? "" : await reader.read(name, maxIgnoreFileBytes);
      if (content.length > 0) return content.toString();
    }
    return "";
  });
  const exclude = ignoredPatterns(text);
  if (exclude.length === 0) return context;
  return { ...emptyDirectory, tree: await (await copyDirectory(call, context, { exclude }))(scratch, "/") };
}

/** Converts the lines of a `.dockerignore` to exclude patterns, as Docker reads them. */
export function ignoredPatterns(text: string): string[] {
  return text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .filter((line) => !line.startsWith("#") && line.trim() !== "")
    .map((line) => {
      const isException = line.trim().startsWith("!");
      const name = line
        .trim()
        .slice(isException ? 1 : 0)
        .trim();
      const clean = name === "" ? "" : path.normalize(name).replace(/(?<=.)\/$/, "");
      return `${isException ? "!" : ""}${clean.length > 1 ? clean.replace(/^\//, "") : clean}`;
    });
}
