/** Where the programs are that this room starts: `dist/`, also when this file runs from its source (tests). */
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of a file in `dist/`; `FASTLOOP_DIST` names another folder. */
export function distFile(name: string): string {
  const fromEnvironment = process.env.FASTLOOP_DIST;
  if (fromEnvironment !== undefined && fromEnvironment !== "") return path.resolve(fromEnvironment, name);
  const here = path.dirname(fileURLToPath(import.meta.url));
  if (!import.meta.url.endsWith(".ts")) return path.join(here, name);
  return path.join(findPackageRoot(here), "dist", name);
}

/** The folder of fastloop's own package.json. */
export function findPackageRoot(start = path.dirname(fileURLToPath(import.meta.url))): string {
  let folder = start;
  while (!existsSync(path.join(folder, "package.json")) && folder !== path.dirname(folder))
    folder = path.dirname(folder);
  return folder;
}
