/** The tags and manifests of a repository. */
export interface RegistryContent {
  /** Tag -> digest of the manifest or index that it names. */
  tags: Record<string, string>;
  manifests: Record<string, { createdMs: number; /** Digests of an index's manifests. */ children: string[] }>;
}

export interface RetentionPlan {
  /** Digests of the images to keep. */
  keep: string[];
  /** Digests to delete, indexes before their children. */
  remove: string[];
  /** Tags that are deleted with them. */
  removedTags: string[];
}

/** Matches the tag of a signature or attestation, which has the digest of its image: `sha256-….sig`. */
const attachedTag = /^sha256-([0-9a-f]{64})(?:\.|$)/;

/**
 * Plans what to delete. Keeps the newest `keep` images, the `pinned` digests, those of tags that end in `latest`, and
 * every digest that a kept index refers to, because registries delete by digest and images can share manifests.
 * Signatures are kept or deleted with their image and do not count as images.
 */
export function planRetention(content: RegistryContent, keep: number, pinned: readonly string[] = []): RetentionPlan {
  const { tags, manifests } = content;
  const attached = Object.entries(tags).flatMap(([tag, digest]) => {
    const subject = attachedTag.exec(tag)?.[1];
    return subject === undefined ? [] : [{ digest, subject: `sha256:${subject}` }];
  });
  const roots = [...new Set(Object.entries(tags).flatMap(([tag, digest]) => (attachedTag.test(tag) ? [] : [digest])))];
  const moving = new Set(
    Object.entries(tags)
      .filter(([tag]) => !tag.startsWith("key-") && tag.endsWith("latest"))
      .map(([, digest]) => digest),
  );
  const newest = roots.toSorted(
    (a, b) => (manifests[b]?.createdMs ?? 0) - (manifests[a]?.createdMs ?? 0) || (a < b ? -1 : 1),
  );
  const kept = new Set([
    ...newest.slice(0, keep),
    ...moving,
    ...pinned.filter((digest) => manifests[digest] !== undefined),
  ]);
  const reachable = new Set<string>();
  const reach = (digest: string): void => {
    if (reachable.has(digest)) return;
    reachable.add(digest);
    for (const child of manifests[digest]?.children ?? []) reach(child);
  };
  kept.forEach(reach);
  for (const { digest, subject } of attached) if (reachable.has(subject)) reach(digest);
  const goingRoots = [...roots, ...attached.map(({ digest }) => digest)].filter((digest) => !reachable.has(digest));
  const goingChildren = goingRoots
    .flatMap((digest) => manifests[digest]?.children ?? [])
    .filter((digest) => !reachable.has(digest));
  return {
    keep: [...kept],
    remove: [...new Set([...goingRoots, ...goingChildren])],
    removedTags: Object.entries(tags).flatMap(([tag, digest]) => (goingRoots.includes(digest) ? [tag] : [])),
  };
}
