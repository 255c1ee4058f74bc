/** Scanned modules on disk, keyed by content. A lost folder costs a scan; a damaged file counts as missing. */
import { mkdirSync, readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import path from "node:path";
import { writeFileAtomically } from "../../tree/index.ts";
import { cacheHome } from "../../paths/index.ts";
import { keepNewest } from "./keep-newest.ts";
import type { CheckedManifest } from "./manifest-check.ts";
import type { ModuleInfo } from "../types.ts";

/** Increase when `ModuleInfo` or the meaning of a scan changes: files of older versions are not read. */
const formatVersion = 6;
/** Names that fastloop gives; other files in the folder are not deleted. */
const shape = /^(?:manifest-|at-)?[0-9a-f]{24,64}\.json$/;
/** Number of modules kept; the oldest are deleted first. */
const keptModules = 200;

/** A scan without what depends on the module's location. */
export type StoredModule = Omit<
  ModuleInfo,
  | "root"
  | "sourceDir"
  | "repository"
  | "contextDir"
  | "contextRoot"
  | "borrowed"
  | "dependencies"
  | "toolchains"
  | "ports"
  | "digest"
>;

export class ModuleCache {
  private readonly folder: string;

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.folder = path.join(cacheHome(env), "modules");
  }

  /** Returns the digest that was last computed for a tree in exactly this state. */
  digestOf(root: string, stat: string): string | undefined {
    const stored = readJson(this.statFile(root));
    return isRecord(stored) && stored.stat === stat && typeof stored.digest === "string" ? stored.digest : undefined;
  }

  rememberDigest(root: string, stat: string, digest: string): void {
    this.write(this.statFile(root), { version: formatVersion, stat, digest });
  }

  read(digest: string): StoredModule | undefined {
    const stored = readJson(this.moduleFile(digest));
    if (!isRecord(stored) || stored.version !== formatVersion || !isRecord(stored.module)) return undefined;
    // The digest in the file shows that it was written for this module; a truncated file does not parse.
    return stored.module.ownDigest === digest ? (stored.module as unknown as StoredModule) : undefined;
  }

  private write(file: string, content: unknown): void {
    try {
      mkdirSync(this.folder, { recursive: true });
      writeFileAtomically(file, JSON.stringify(content));
    } catch {
      // Read-only or full disk: the next start scans again.
    }
  }

  store(module: StoredModule): void {
    this.write(this.moduleFile(module.ownDigest), { version: formatVersion, module });
    keepNewest(this.folder, shape, keptModules);
  }

  /** Returns a checked manifest by its name and text; manifests with errors are not stored. */
  readManifest(text: string): CheckedManifest | undefined {
    const stored = readJson(this.manifestFile(text));
    if (!isRecord(stored) || stored.version !== formatVersion || !isRecord(stored.manifest)) return undefined;
    return stored.manifest as CheckedManifest;
  }

  storeManifest(text: string, manifest: CheckedManifest): void {
    this.write(this.manifestFile(text), { version: formatVersion, manifest });
  }

  private manifestFile(text: string): string {
    return path.join(this.folder, `manifest-${createHash("sha256").update(text).digest("hex")}.json`);
  }

  private moduleFile(digest: string): string {
    return path.join(this.folder, `${digest}.json`);
  }

  private statFile(root: string): string {
    return path.join(this.folder, `at-${createHash("sha256").update(root).digest("hex").slice(0, 24)}.json`);
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
