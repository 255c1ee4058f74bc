/** What a registry holds under one repository, as far as retention needs it. */
export interface RegistryContent {
  /** Tag -> digest of the manifest or index that it names. */
  tags: Record<string, string>;
  manifests: Record<string, { createdMs: number; /** Digests of an index's manifests. */ children: string[] }>;
}

export interface RetentionPlan {
  keep: string[];
  /** Digests to delete, indexes before their children. */
  remove: string[];
  /** Tags that go with them. */
  removedTags: string[];
}

/** A signature or the like is tagged by the digest that it belongs to: `sha256-….sig`. */
const attachedTag = /^sha256-([0-9a-f]{64})(?:\.|$)/;

/**
 * Keeps the newest `keep` images, whatever `pinned` and moving tags name, and every digest reachable from a kept index:
 * registries delete by digest and would take a shared child away from a kept image. Signatures stay and go with what they
 * belong to and count as no image.
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
