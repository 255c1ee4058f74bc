/** The identity of a module: every file that an engine would upload with it. */
import { UserError } from "../../errors/index.ts";
import { contentDigest, ContentHasher, listTree, treeStatDigest, type TreeListing } from "../../tree/index.ts";
import { manifestFiles, type Manifest } from "./manifest.ts";

/** An engine would upload it with each change of the module; holes cost an author nothing. */
const largestFileBytes = 1024 * 1024 * 1024;

/** A file changed this shortly ago may change again without its times moving: its listing proves nothing yet. */
const raceWindowMs = 2000;

export interface ModuleFiles {
  listing: TreeListing;
  /** Identity by `lstat`: equal means untouched. */
  stat: string;
  /** False while a file is so young that `stat` could miss the next change of it. */
  settled: boolean;
}

/**
 * dagger.json, everything below `source`, and what `include` names; without what git ignores, installed packages and
 * the generated `sdk/`, which an engine writes itself.
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
 * Path, mode and content of each file; folders count by name only, so that a clone has the same digest. Of a mode, what
 * git keeps: whether the file can be executed; the rest is the umask of whoever made the clone.
 */
export function moduleDigest({ listing }: ModuleFiles): string {
  const large = listing.entries.find(({ sizeBytes }) => sizeBytes > largestFileBytes);
  if (large !== undefined)
    throw new UserError("module", `has ${large.sizeBytes} bytes, which is no part of a module`, {
      place: large.path,
      hint: "name it in .gitignore, or move it out of the module's folder",
    });
  const entries = listing.entries.map((entry) =>
    entry.type === "file" ? { ...entry, mode: (entry.mode & 0o100) === 0 ? 0o644 : 0o755 } : entry,
  );
  return contentDigest({ ...listing, entries }, new ContentHasher());
}
