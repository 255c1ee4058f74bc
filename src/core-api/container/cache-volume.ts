import type { ApiSessionOptions } from "../options.ts";
import { id, load, typeModule } from "../values/resolver.ts";
import type { Call } from "../request/call.ts";
import type { CacheSharing, CacheVolume, Directory } from "../values/values.ts";

/** Returns the prefix of a project's volumes in BuildKit, whose cache ids are shared by all projects of a daemon. */
export function cacheNamespace({ project }: Pick<ApiSessionOptions, "project">): string {
  return `fastloop-cache-${project}`;
}

/**
 * Returns BuildKit's id for a volume. Ids of Dockerfiles' caches continue the namespace with `/` instead. As on a
 * Dagger engine, another sharing mode means another volume.
 */
export function cacheMountId(key: string, sharing: CacheSharing, options: Pick<ApiSessionOptions, "project">): string {
  const kind = sharing === "SHARED" ? "" : `.${sharing.toLowerCase()}`;
  return `${cacheNamespace(options)}${kind}:${key}`;
}

export interface CacheVolumeArguments {
  key: string;
  source?: string | null;
  sharing?: CacheSharing | null;
  owner?: string | null;
}

export function cacheVolume(args: CacheVolumeArguments, call: Call): CacheVolume {
  return {
    type: "CacheVolume",
    key: args.key,
    ...(args.sharing ? { sharing: args.sharing } : {}),
    ...(args.source ? { source: load<Directory>(call, args.source, "Directory") } : {}),
    ...(args.owner ? { owner: args.owner } : {}),
  };
}

export const cacheVolumeModule = typeModule<CacheVolume>(
  "CacheVolume",
  /* GraphQL */ `
  "A directory whose contents persist across runs."
  type CacheVolume implements Node {
    id: ID!
  }
`,
  { id },
);
