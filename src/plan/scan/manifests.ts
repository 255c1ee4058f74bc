import type { ProjectState } from "../../state/index.ts";
import { compareTreePaths } from "../../tree/index.ts";

/** A digest, under which an input is stored. */
const shape = /^[0-9a-f]{64}$/;

/** Stored inputs by digest: path -> content key. Equal inputs of many targets and runs are stored once. */
export class ManifestStore {
  private readonly state: ProjectState;

  constructor(state: ProjectState) {
    this.state = state;
  }

  write(digest: string, manifest: () => ReadonlyMap<string, string>): void {
    // Values such as `missing` are no digest, and there is nothing to store.
    if (!shape.test(digest) || this.state.has("manifests", digest)) return;
    let text = "";
    for (const [name, key] of manifest()) text += `${name}\0${key}\n`;
    this.state.write("manifests", digest, [Buffer.from(text)]);
  }

  /** Undefined if it is not stored, or no longer. */
  read(digest: string): Map<string, string> | undefined {
    const text = shape.test(digest) ? this.state.read("manifests", digest)?.toString("utf8") : undefined;
    if (text === undefined) return undefined;
    return parseManifest(text);
  }

  /** Deletes manifests that no record refers to. */
  prune(used: ReadonlySet<string>): void {
    this.state.remove(
      "manifests",
      this.state.names("manifests", shape).filter((name) => !used.has(name)),
    );
  }
}

/** Returns undefined for truncated text. A name may contain a newline; a NUL ends it. */
export function parseManifest(text: string): Map<string, string> | undefined {
  const manifest = new Map<string, string>();
  for (let start = 0; start < text.length;) {
    const nul = text.indexOf("\0", start);
    const end = text.indexOf("\n", nul);
    if (nul < 0 || end < 0) return undefined;
    manifest.set(text.slice(start, nul), text.slice(nul + 1, end));
    start = end + 1;
  }
  return manifest;
}

export interface FileChange {
  kind: "file";
  change: "added" | "changed" | "removed";
  path: string;
}

/** Returns the changed paths. */
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

/** Sorts changes, and drops a folder if something in it changed too. */
export function inPathOrder(changes: FileChange[]): FileChange[] {
  // What is in a folder directly follows it.
  changes.sort((a, b) => compareTreePaths(a.path, b.path));
  return changes.filter((change, index) => changes[index + 1]?.path.startsWith(`${change.path}/`) !== true);
}
