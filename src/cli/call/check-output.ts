/** What is in the way of `-o PATH`, told before anything runs for it. */
import { statSync, type Stats } from "node:fs";
import path from "node:path";
import type { ParsedCall } from "../../call/index.ts";
import { UserError } from "../../errors/index.ts";

/** These are written into a folder, which may be there already. */
const folderTypes = ["Directory", "Changeset"];

/** Throws where a folder is in the way of a file, or a file in the way of a folder. A `File` goes into a folder under its own name. */
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

/** What is below a file is not there, which the system tells as an error of its own. */
function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
