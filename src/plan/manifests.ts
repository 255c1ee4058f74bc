import { readFileSync, readdirSync, rmSync, existsSync } from "node:fs";
import path from "node:path";
import { writeFileAtomically } from "../tree/index.ts";

/** Stored inputs by their digest: path -> content key. Equal inputs of many targets and runs are stored once. */
export class ManifestStore {
  private readonly folder: string;

  constructor(stateDir: string) {
    this.folder = path.join(stateDir, "manifests");
  }

  write(digest: string, manifest: () => ReadonlyMap<string, string>): void {
    const file = path.join(this.folder, digest);
    if (existsSync(file)) return;
    let text = "";
    for (const [name, key] of manifest()) text += `${name}\0${key}\n`;
    writeFileAtomically(file, text);
  }

  /** Undefined when it is not stored (any more). A name may contain a newline, a NUL ends it. */
  read(digest: string): Map<string, string> | undefined {
    let text: string;
    try {
      text = readFileSync(path.join(this.folder, digest), "utf8");
    } catch {
      return undefined;
    }
    const manifest = new Map<string, string>();
    for (let start = 0; start < text.length; ) {
      const nul = text.indexOf("\0", start);
      const end = text.indexOf("\n", nul);
      if (nul < 0 || end < 0) return undefined;
      manifest.set(text.slice(start, nul), text.slice(nul + 1, end));
      start = end + 1;
    }
    return manifest;
  }

  /** Deletes what no record refers to. */
  prune(used: ReadonlySet<string>): void {
    let names: string[];
    try {
      names = readdirSync(this.folder);
    } catch {
      return;
    }
    for (const name of names) if (!used.has(name)) rmSync(path.join(this.folder, name), { force: true });
  }
}

export interface FileChange {
  kind: "file";
  change: "added" | "changed" | "removed";
  path: string;
}

/** Changed paths. */
export function diffManifests(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): FileChange[] {
  const changes: FileChange[] = [];
  for (const [file, key] of now) {
    const old = before.get(file);
    if (old === undefined) changes.push({ kind: "file", change: "added", path: file });
    else if (old !== key) changes.push({ kind: "file", change: "changed", path: file });
  }
  for (const file of before.keys()) if (!now.has(file)) changes.push({ kind: "file", change: "removed", path: file });
  return inPathOrder(changes);
}

/** Sorted; a folder is named only when nothing in it says the same. */
export function inPathOrder(changes: FileChange[]): FileChange[] {
  changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return changes.filter((change, index) => changes[index + 1]?.path.startsWith(`${change.path}/`) !== true);
}
