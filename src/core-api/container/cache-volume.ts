import type { ApiSessionOptions } from "../options.ts";
import { id, load, typeModule } from "../values/resolver.ts";
import type { Call } from "../request/call.ts";
import type { CacheSharing, CacheVolume, Directory } from "../values/values.ts";

/** What BuildKit's names of a project's volumes begin with: all projects of a daemon share one set of names. */
export function cacheNamespace({ project }: Pick<ApiSessionOptions, "project">): string {
  return `fastloop-cache-${project}`;
}

/**
 * BuildKit's name of a volume. Those of Dockerfiles go on with `/`. As on a Dagger engine, what is shared in another way is
 * another volume.
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
