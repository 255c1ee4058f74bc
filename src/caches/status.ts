/** What the caches hold, and where. */
import path from "node:path";
import { cacheHome } from "../paths/index.ts";
import type { EngineDisk } from "../engine/index.ts";
import type { ProjectState, StateFolderName } from "../state/index.ts";
import { diskUse, stateUse } from "./disk-use.ts";
import { cacheClasses, type CacheClass } from "./levels.ts";

export interface CacheRow {
  class: CacheClass;
  where: string;
  /** Undefined if it cannot be determined. */
  bytes?: number;
  /** Breakdown, if known. */
  parts?: CachePart[];
  note?: string;
}

export interface CachePart {
  name: string;
  bytes: number;
  records?: number;
}

export interface CacheStatus {
  rows: CacheRow[];
  /** Sum over all folders, as `du` counts. */
  totalBytes: number;
}

export interface CachePlaces {
  state: ProjectState;
  /** Folder of the embedded engine. */
  engineFolder: string;
  /** BuildKit's own figures; undefined while it does not run. */
  disk: EngineDisk | undefined;
  /** Identity of this project's volumes (`volumesOf`). */
  project: string;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

/** Folders of each class, below the user's cache folder. */
export const cacheFolders: Partial<Record<CacheClass, readonly string[]>> = {
  mirror: ["images"],
  tools: ["tools", "shim", "confine"],
  modules: ["modules", "bundles", "code"],
};

/** Folders of the project's state; its top-level files are the hashes. */
export const stateFolders = {
  results: ["runs", "manifests", "calls", "spans", "reads"],
  history: ["history", "baselines"],
} as const;

const kindNames: Record<string, string> = {
  "exec.cachemount": "cache volumes, of all projects",
  regular: "layers",
  internal: "internal",
  frontend: "frontends",
  "source.local": "host trees",
  "source.git.checkout": "git checkouts",
};

export async function cacheStatus(places: CachePlaces): Promise<CacheStatus> {
  const { state, engineFolder, disk, project, env, signal } = places;
  const home = cacheHome(env);
  const own = (name: CacheClass): Promise<number> =>
    (cacheFolders[name] ?? []).reduce(
      async (sum, folder) => (await sum) + (await diskUse(path.join(home, folder), signal)),
      Promise.resolve(0),
    );
  const inState = (folders: readonly StateFolderName[]): number =>
    folders.reduce((sum, folder) => sum + stateUse(state, folder), 0);
  const engineBytes = await diskUse(engineFolder, signal);
  const parts = partsOf(disk);
  const told = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  if (disk !== undefined && engineBytes > told)
    parts.push({ name: "content, metadata, logs", bytes: engineBytes - told, records: 0 });
  const rows: CacheRow[] = [
    { class: "results", where: state.path, bytes: inState(stateFolders.results) },
    { class: "hashes", where: state.path, bytes: inState(["."]) },
    { class: "history", where: path.join(state.path, "history"), bytes: inState(stateFolders.history) },
    { class: "volumes", where: engineFolder, note: "part of the engine's", ...volumesIn(disk, project) },
    {
      class: "engine",
      where: engineFolder,
      bytes: engineBytes,
      ...(disk === undefined ? { note: "does not run: `fastloop engine start` to see what it holds" } : { parts }),
    },
    { class: "mirror", where: path.join(home, "images"), bytes: await own("mirror") },
    { class: "tools", where: path.join(home, "tools"), bytes: await own("tools") },
    { class: "modules", where: path.join(home, "modules"), bytes: await own("modules") },
  ];
  const order = Object.keys(cacheClasses);
  return {
    rows: rows.toSorted((a, b) => order.indexOf(a.class) - order.indexOf(b.class)),
    totalBytes: rows.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
  };
}

/** Records of BuildKit by their kind; of the layers those of images that were pulled stand apart. */
function partsOf(disk: EngineDisk | undefined): CachePart[] {
  const { kinds = {}, images = [] } = disk ?? {};
  const pulled = images.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    ...images.map(({ name, bytes }) => ({ name: `image ${shortImage(name)}`, bytes })),
    ...Object.entries(kinds).map(([kind, { bytes, records }]) => ({
      name: kindNames[kind] ?? kind,
      bytes: kind === "regular" ? Math.max(0, bytes - pulled) : bytes,
      // How many of them are images' is not told.
      ...(kind === "regular" && images.length > 0 ? {} : { records }),
    })),
  ];
}

/** The project's own, each by its name and where containers have it. */
function volumesIn(disk: EngineDisk | undefined, project: string): Pick<CacheRow, "parts"> {
  const own = disk?.volumes.filter((volume) => volume.project === project) ?? [];
  return own.length === 0
    ? {}
    : { parts: own.map(({ name, path: at, bytes }) => ({ name: `${name} at ${at}`, bytes })) };
}

/** Without the digest, where a tag says which one it is. */
const shortImage = (name: string): string => name.replace(/(:[\w.-]+)@sha256:[0-9a-f]+$/, "$1");
