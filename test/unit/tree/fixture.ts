import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach } from "vitest";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder of real files that is gone after the test: text is a file, `{link}` a symlink, null an empty folder. */
export function makeTree(files: Record<string, string | { link: string } | null> = {}): string {
  const root = mkdtempSync(path.join(os.tmpdir(), "fastloop-tree-"));
  folders.push(root);
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, name);
    mkdirSync(content === null ? file : path.dirname(file), { recursive: true });
    if (typeof content === "string") writeFileSync(file, content);
    else if (content !== null) symlinkSync(content.link, file);
  }
  return root;
}

/** Makes `locked/secret` and `open/f`, and runs `look` as a user who may not read `locked`, also where the tests are root's. */
export function withLockedFolder(look: (root: string) => void): void {
  const root = makeTree({ "locked/secret": "", "open/f": "" });
  chmodSync(root, 0o755);
  chmodSync(path.join(root, "locked"), 0);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid!(65534);
  try {
    look(root);
  } finally {
    if (isRoot) process.seteuid!(0);
    chmodSync(path.join(root, "locked"), 0o755);
  }
}

/** A small seeded generator (mulberry32), so that a failing property names a seed that shows it again. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
