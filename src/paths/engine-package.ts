import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { packageRoot } from "./package-root.ts";

/**
 * Folder of the npm package that brings the engine's programs ready-made (`@fastloop/engine-linux-x64`,
 * tools/release/engine.mjs), so that none is built or installed on this machine. It has `bin/`, `cni/`, `shim/ARCH/` and
 * `confine/ARCH/`. Undefined where npm has not installed it; a package of another version than ours counts as none.
 */
export function enginePackage(root: string = packageRoot()): string | undefined {
  if (process.platform !== "linux") return undefined;
  let manifest: string;
  try {
    manifest = createRequire(path.join(root, "package.json")).resolve(
      `@fastloop/engine-linux-${process.arch}/package.json`,
    );
  } catch {
    return undefined;
  }
  return versionOf(manifest) === versionOf(path.join(root, "package.json")) ? path.dirname(manifest) : undefined;
}

function versionOf(manifest: string): unknown {
  const { version }: { version?: unknown } = JSON.parse(readFileSync(manifest, "utf8"));
  return version;
}
