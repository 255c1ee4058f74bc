import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** Returns fastloop's own folder, which contains `dist/` and `tools/`; works from `src/` and from `dist/`. */
export function packageRoot(from: string = import.meta.dirname): string {
  let folder = from;
  while (!existsSync(path.join(folder, "package.json"))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`no package.json above ${from}`);
    folder = parent;
  }
  return folder;
}

/** Returns the absolute path of a program in `dist/`; `FASTLOOP_DIST` names another folder. */
export function distFile(name: string): string {
  const fromEnvironment = process.env.FASTLOOP_DIST;
  if (fromEnvironment !== undefined && fromEnvironment !== "") return path.resolve(fromEnvironment, name);
  // A bundle is in dist/ itself, wherever that was copied to.
  return import.meta.url.endsWith(".ts")
    ? path.join(packageRoot(), "dist", name)
    : path.join(import.meta.dirname, name);
}

let build: string | undefined;

/** Returns `dist/build-id`, which changes with every change of the sources; empty if nothing was built. */
export function buildId(): string {
  try {
    return (build ??= readFileSync(distFile("build-id"), "utf8").trim());
  } catch {
    return "";
  }
}
