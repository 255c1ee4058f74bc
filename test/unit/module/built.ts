/** The scan's and the host's programs, built from the sources as they are now, once for all test files. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { confineProgram } from "../../../src/module/index.ts";
import { buildSdkPrograms } from "../../../tools/build-sdk.mjs";

const root = path.resolve(import.meta.dirname, "../../..");
const folder = path.join(root, "node_modules/.cache/fastloop-test");

/** Points `FASTLOOP_DIST` and the cache folder of this test process at folders of its own; the boundary is the one that set-up built. */
export async function useBuiltPrograms(): Promise<void> {
  const boundary = process.platform === "linux" ? confineProgram() : undefined;
  if (boundary === undefined) process.env.FASTLOOP_BODIES = "host";
  else process.env.FASTLOOP_CONFINE = boundary;
  process.env.FASTLOOP_DIST = await builtPrograms();
  process.env.XDG_CACHE_HOME = mkdtempSync(path.join(tmpdir(), "fastloop-cache-"));
}

/** Removes what the tests of this process cached. */
export function removeCache(): void {
  const cache = process.env.XDG_CACHE_HOME;
  if (cache?.startsWith(path.join(tmpdir(), "fastloop-cache-")) === true)
    rmSync(cache, { recursive: true, force: true });
}

async function builtPrograms(): Promise<string> {
  const hash = createHash("sha256").update(readFileSync(path.join(root, "tools/build-sdk.mjs")));
  for (const room of ["errors", "tree", "module"]) {
    for (const name of readdirSync(path.join(root, "src", room), { recursive: true, encoding: "utf8" }).sort()) {
      if (name.endsWith(".ts")) hash.update(name).update(readFileSync(path.join(root, "src", room, name)));
    }
  }
  const dist = path.join(folder, hash.digest("hex").slice(0, 16));
  if (existsSync(dist)) return dist;
  const temporary = `${dist}.${process.pid}`;
  await buildSdkPrograms(temporary);
  try {
    renameSync(temporary, dist);
  } catch {
    // Another test process was faster.
    rmSync(temporary, { recursive: true, force: true });
  }
  return dist;
}
