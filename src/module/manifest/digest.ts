/** Identity of a module: all files that an engine would upload with it. */
import { UserError } from "../../errors/index.ts";
import { contentDigest, ContentHasher, listTree, treeStatDigest, type TreeListing } from "../../tree/index.ts";
import { manifestFiles, type Manifest } from "./manifest.ts";

/**
 * Limit in bytes. The engine would upload such a file with each change of the module. A sparse file of any size costs
 * its author nothing.
 */
const largestFileBytes = 1024 * 1024 * 1024;

/**
 * A file that changed within this window may change again without new timestamps, so its `lstat` proves nothing yet.
 */
const raceWindowMs = 2000;

export interface ModuleFiles {
  listing: TreeListing;
  /** Digest of the `lstat` results; equal digests mean untouched files. */
  stat: string;
  /** False while a file is so young that `stat` could miss its next change. */
  settled: boolean;
}

/**
 * Lists dagger.json, everything below `source`, and what `include` names, without what git ignores, installed packages
 * and the generated `sdk/`, which the engine writes itself.
 */
export function listModuleFiles(manifest: Pick<Manifest, "root" | "source" | "include" | "hasCode">): ModuleFiles {
  const { root, source, hasCode } = manifest;
  const prefix = source === "." ? "" : `${source}/`;
  const listing = listTree(root, {
    include: [...manifestFiles, ...(hasCode ? [`${prefix}**`, ...manifest.include] : [])],
    exclude: ["**/node_modules", "**/.git", `${prefix}sdk`, ".fastloop"],
    gitignore: true,
  });
  const youngest = listing.entries.reduce((latest, entry) => (entry.ctimeNs > latest ? entry.ctimeNs : latest), 0n);
  return {
    listing,
    stat: treeStatDigest(listing),
    settled: BigInt(Date.now() - raceWindowMs) * 1_000_000n > youngest,
  };
}

/**
 * Hashes path, mode and content of each file. Folders count by name only, so that a clone has the same digest. Of the
 * mode only the executable bit counts, as in git; the rest depends on the umask of the clone.
 */
export function moduleDigest({ listing }: ModuleFiles): string {
  const large = listing.entries.find(({ sizeBytes }) => sizeBytes > largestFileBytes);
  if (large !== undefined)
    throw new UserError("module", `has ${large.sizeBytes} bytes, too large for a file of a module`, {
      place: large.path,
      hint: "name it in .gitignore, or move it out of the module's folder",
    });
  const entries = listing.entries.map((entry) =>
    entry.type === "file" ? { ...entry, mode: (entry.mode & 0o100) === 0 ? 0o644 : 0o755 } : entry,
  );
  return contentDigest({ ...listing, entries }, new ContentHasher());
}
