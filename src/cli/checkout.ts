import { existsSync } from "node:fs";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import { packageRoot } from "../paths/index.ts";

/**
 * Returns fastloop's own folder. Throws when it lacks `wanted`, e.g. `pipelines/src/index.ts`: then this is no
 * checkout.
 */
export function packageFolder(wanted: string): string {
  const folder = packageRoot();
  if (existsSync(path.join(folder, wanted))) return folder;
  throw new UserError("usage", `this installation of fastloop has no ${wanted}`, {
    hint: "clone the repository and run it from there",
  });
}
