/** The checkout as others get it: by git, and by npm. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { packageRoot } from "../../src/paths/index.ts";

/** What git would clone. */
export function cloneTo(folder: string): void {
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: packageRoot(), encoding: "utf8" }).split("\0");
  for (const file of files.filter(Boolean)) {
    const from = path.join(packageRoot(), file);
    if (statSync(from, { throwIfNoEntry: false })?.isFile() === true) cpSync(from, path.join(folder, file));
  }
}

/** Packs fastloop into a folder that everyone may read. */
export function packTo(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const copy = mkdtempSync(path.join(tmpdir(), "fastloop-newcomer-"));
  cloneTo(copy);
  const modules = path.join(packageRoot(), "node_modules");
  cpSync(modules, path.join(copy, "node_modules"), { recursive: true, verbatimSymlinks: true });
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: copy, stdio: "ignore" });
  rmSync(copy, { recursive: true });
  chmodSync(folder, 0o755);
  for (const name of readdirSync(folder)) chmodSync(path.join(folder, name), 0o644);
}
