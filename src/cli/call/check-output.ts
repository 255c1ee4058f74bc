/** Checks `-o PATH` before anything runs. */
import { statSync, type Stats } from "node:fs";
import path from "node:path";
import type { ParsedCall } from "../../call/index.ts";
import { UserError } from "../../errors/index.ts";

/** Types that are written into a folder, which may exist. */
const folderTypes = ["Directory", "Changeset"];

/**
 * Throws when a folder is where a file would be written, or a file where a folder would be. A `File` is written into an
 * existing folder under its own name.
 */
export function checkOutput({ output, returns }: Pick<ParsedCall, "output" | "returns">, cwd: string): void {
  if (output === undefined) return;
  const type = returns.kind === "object" ? returns.name : undefined;
  const target = path.resolve(cwd, output);
  const isFolderResult = type !== undefined && folderTypes.includes(type);
  const there = statOf(target);
  if (there?.isDirectory() === true && !isFolderResult && type !== "File") {
    throw new UserError(
      "usage",
      `it is a folder, and ${type === undefined ? "the result is a text" : `a ${type} is written to a file`}`,
      {
        place: `-o ${output}`,
        hint: `name a file, e.g. -o ${path.join(output, type === "Container" ? "image.tar" : "result.txt")}`,
      },
    );
  }
  if (there?.isFile() === true && isFolderResult) {
    throw new UserError("usage", `it is a file, and a ${type} is written into a folder`, {
      place: `-o ${output}`,
      hint: "name another path, or remove the file",
    });
  }
  const above = nearestAbove(target);
  if (statOf(above)?.isDirectory() !== true) {
    throw new UserError("usage", `${above} is not a folder: nothing can be written below it`, {
      place: `-o ${output}`,
      hint: "name another path, or remove the file",
    });
  }
}

function nearestAbove(target: string): string {
  let above = path.dirname(target);
  while (statOf(above) === undefined && above !== path.dirname(above)) above = path.dirname(above);
  return above;
}

/** Returns undefined also for a path below a file, where `statSync` throws. */
function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
