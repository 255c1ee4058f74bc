import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import path from "node:path";
import { currentRecorder, readRegular } from "../../paths/index.ts";
import type { TreeEntry } from "../../tree/index.ts";
import { realIfPresent } from "../inputs/scanned-input.ts";

const installed = "node_modules";

/** Content of one `node_modules`, or of one scope in it. */
interface Known {
  /** Identifies the folder's state; undefined if its time is so recent that another write would not show. */
  mark: string | undefined;
  /** Name of the package -> path of the link, for links that lead to no installed package. */
  links: ReadonlyMap<string, string>;
  scopes: readonly string[];
}

/**
 * Links in `node_modules` to packages of the project itself, as pnpm, yarn, npm and bun create them for workspaces.
 * Links to installed packages do not count, as those are no input. Folders are read again only if they changed.
 */
export class InstalledLinks {
  private readonly known = new Map<string, Known>();
  private readonly needs = new WeakMap<TreeEntry, readonly string[]>();

  /** Returns links directly in the `node_modules` of a package's folder (absolute), by the package's name. */
  of(folder: string): Map<string, string> {
    const at = path.join(folder, installed);
    const { links, scopes } = this.read(at);
    return new Map([...links, ...scopes.flatMap((scope) => [...this.read(path.join(at, scope)).links])]);
  }

  /** Returns the names of all packages that a `package.json` depends on. */
  neededBy(root: string, manifest: TreeEntry): readonly string[] {
    let names = this.needs.get(manifest);
    if (names === undefined) this.needs.set(manifest, (names = namesIn(path.join(root, manifest.path))));
    return names;
  }

  /** Folders to watch because links in them may come and go: `node_modules`, and scopes in it. */
  get folders(): string[] {
    return [...this.known.keys()];
  }

  /** Reports whether a changed path (absolute) may be a link in one of `folders`, or one of these folders. */
  mayBeLink(file: string): boolean {
    if (path.basename(file) === installed) return true;
    if (!this.known.has(path.dirname(file))) return false;
    const isScope = path.basename(file).startsWith("@");
    return isScope || lstatSync(file, { throwIfNoEntry: false })?.isDirectory() !== true;
  }

  /** Reports whether all folders are as they were read. */
  isStill(): boolean {
    return [...this.known].every(([folder, known]) => {
      if (known.mark !== undefined) return markOf(folder) === known.mark;
      return JSON.stringify(textOf(known)) === JSON.stringify(textOf(this.read(folder)));
    });
  }

  /** Forgets folders that were not requested since the last time. */
  keepOnly(folders: ReadonlySet<string>): void {
    for (const folder of this.known.keys())
      if (!folders.has(folder) && !folders.has(path.dirname(folder))) this.known.delete(folder);
  }

  private read(folder: string): Known {
    currentRecorder()?.times(folder);
    const mark = markOf(folder);
    const old = this.known.get(folder);
    if (old !== undefined && mark !== undefined && old.mark === mark) return old;
    const name = path.basename(folder);
    const prefix = name === installed ? "" : `${name}/`;
    const links = new Map<string, string>();
    const scopes: string[] = [];
    for (const entry of entriesOf(folder)) {
      if (entry.isDirectory() && prefix === "" && entry.name.startsWith("@")) scopes.push(entry.name);
      else if (entry.isSymbolicLink() && !isInstalled(folder, entry.name))
        links.set(prefix + entry.name, path.join(folder, entry.name));
    }
    const known = { mark, links, scopes };
    this.known.set(folder, known);
    return known;
  }
}

function isInstalled(folder: string, name: string): boolean {
  try {
    // A relative link starts at the folder's real path.
    const target = path.resolve(realIfPresent(folder), readlinkSync(path.join(folder, name)));
    return target.split(path.sep).includes(installed);
  } catch {
    return true;
  }
}

function textOf({ links, scopes }: Known): unknown {
  return [[...links], scopes];
}

/** Some file systems take times from a clock of this granularity. */
const youngMs = 100;

function markOf(folder: string): string | undefined {
  const stats = lstatSync(folder, { bigint: true, throwIfNoEntry: false });
  if (stats?.isDirectory() !== true) return "missing";
  const isYoung = Math.abs(Date.now() - Number(stats.mtimeNs / 1_000_000n)) < youngMs;
  return isYoung ? undefined : `${stats.ino} ${stats.birthtimeNs} ${stats.mtimeNs}`;
}

function entriesOf(folder: string): ReturnType<typeof readDirents> {
  try {
    return readDirents(folder);
  } catch {
    return [];
  }
}

function readDirents(folder: string) {
  return readdirSync(folder, { withFileTypes: true });
}

/** No manifest that a person wrote is larger. */
const maxManifestBytes = 1024 * 1024;
const kinds = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] as const;

function namesIn(file: string): string[] {
  currentRecorder()?.content(file);
  try {
    const manifest = JSON.parse(readRegular(file, { maxBytes: maxManifestBytes }).toString("utf8")) as Partial<
      Record<string, unknown>
    > | null;
    return kinds.flatMap((kind) => {
      const names = manifest?.[kind];
      return typeof names === "object" && names !== null ? Object.keys(names) : [];
    });
  } catch {
    return [];
  }
}
