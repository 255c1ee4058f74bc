import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { packageRoot } from "./package-root.ts";

/**
 * Returns the folder of the npm package with the engine's prebuilt programs (`@fastloop/engine-linux-x64`,
 * tools/release/engine.mjs), so that none has to be built or installed on this host. It contains `bin/`, `cni/`,
 * `shim/ARCH/` and `confine/ARCH/`. Undefined if npm has not installed it, or in another version than fastloop's.
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
