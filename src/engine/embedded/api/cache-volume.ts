import { id, load, typeModule } from "./resolver.ts";
import type { Call } from "./session.ts";
import type { CacheSharing, CacheVolume, Directory } from "./values.ts";

/** BuildKit's name of a volume; the prefix keeps Dockerfile caches of other users of the daemon apart. */
export function cacheMountId(key: string): string {
  return `fastloop-cache:${key}`;
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
