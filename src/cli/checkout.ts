import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../errors/index.ts";

/** fastloop's own folder: the nearest one above this program that holds `wanted`, e.g. `pipelines/src/index.ts`. */
export function packageFolder(wanted: string): string {
  for (let folder = path.dirname(fileURLToPath(import.meta.url)); ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, wanted))) return folder;
    if (folder === path.dirname(folder)) {
      throw new UserError("usage", `this installation of fastloop has no ${wanted}`, {
        hint: "clone the repository and run it from there",
      });
    }
  }
}
