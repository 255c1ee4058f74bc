import { ApiError, notServed } from "../values/errors.ts";
import { id, typeModule } from "../values/resolver.ts";

interface CacheEntry {
  readonly type: "EngineCacheEntry";
  readonly description: string;
  readonly diskSpaceBytes: number;
  readonly createdTimeUnixNano: number;
  readonly mostRecentUseTimeUnixNano: number;
  readonly activelyUsed: boolean;
  readonly recordType: string;
}

interface EntrySet {
  readonly type: "EngineCacheEntrySet";
  readonly entries: readonly CacheEntry[];
}

const sdl = /* GraphQL */ `
  "The engine's configuration and state."
  type Engine implements Node {
    id: ID!
    name: String!
    clients: [String!]!
    localCache: EngineCache!
  }
  "A cache storage for the engine."
  type EngineCache implements Node {
    id: ID!
    entrySet(key: String = ""): EngineCacheEntrySet!
    prune(
      useDefaultPolicy: Boolean = false
      maxUsedSpace: String = ""
      reservedSpace: String = ""
      minFreeSpace: String = ""
      targetSpace: String = ""
    ): Void
  }
  type EngineCacheEntrySet implements Node {
    id: ID!
    diskSpaceBytes: Int!
    entries: [EngineCacheEntry!]!
    entryCount: Int!
  }
  type EngineCacheEntry implements Node {
    id: ID!
    activelyUsed: Boolean!
    createdTimeUnixNano: Int!
    description: String!
    diskSpaceBytes: Int!
    mostRecentUseTimeUnixNano: Int!
    recordType: String!
    recordTypes: [String!]!
  }

  extend type Query {
    engine: Engine!
  }
`;

const engineQuery = typeModule<unknown>("Query", sdl, { engine: () => ({ type: "Engine" }) });

const engineModule = typeModule<{ type: "Engine" }>("Engine", "", {
  id,
  name: () => "fastloop embedded engine",
  clients: () => [],
  localCache: () => ({ type: "EngineCache" }),
});

const engineCacheModule = typeModule<{ type: "EngineCache" }>("EngineCache", "", {
  id,
  entrySet: async (_cache, _args: object, call): Promise<EntrySet> => {
    const { records } = await call.session.options.buildkit.diskUsage();
    return {
      type: "EngineCacheEntrySet",
      entries: records.map((record) => ({
        type: "EngineCacheEntry",
        description: record.description,
        diskSpaceBytes: record.sizeBytes,
        createdTimeUnixNano: 0,
        mostRecentUseTimeUnixNano: Math.round(record.lastUsedMs * 1e6),
        activelyUsed: record.inUse,
        recordType: record.recordType,
      })),
    };
  },
  prune: async (
    _cache,
    args: { maxUsedSpace: string; reservedSpace: string; minFreeSpace: string; targetSpace: string },
    call,
  ) => {
    if (args.minFreeSpace !== "") throw notServed("EngineCache.prune(minFreeSpace)");
    const keepBytes = sizeBytes(args.targetSpace || args.maxUsedSpace || args.reservedSpace);
    await call.session.options.buildkit.prune({ all: true, ...(keepBytes === undefined ? {} : { keepBytes }) });
    return null;
  },
});

const engineCacheEntrySetModule = typeModule<EntrySet>("EngineCacheEntrySet", "", {
  id,
  entryCount: ({ entries }) => entries.length,
  diskSpaceBytes: ({ entries }) => entries.reduce((sum, entry) => sum + entry.diskSpaceBytes, 0),
});

const engineCacheEntryModule = typeModule<CacheEntry>("EngineCacheEntry", "", {
  id,
  recordTypes: ({ recordType }) => [recordType],
});

const units: Record<string, number> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/**
 * Parses a size such as `200GB` into bytes. Empty text means no limit (undefined). Throws an `ApiError` for anything
 * else.
 */
export function sizeBytes(text: string): number | undefined {
  if (text === "") return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?I?B?)$/i.exec(text.trim());
  const unit = match === null ? undefined : (units[match[2]!.toUpperCase()] ?? units[`${match[2]!.toUpperCase()}B`]);
  if (match === null || unit === undefined) {
    throw new ApiError(
      `invalid size ${JSON.stringify(text)}: expected a number with a unit, e.g. 200GB (the embedded engine takes no percentages)`,
    );
  }
  return Math.round(Number(match[1]) * unit);
}

export const engineModules = [
  engineModule,
  engineQuery,
  engineCacheModule,
  engineCacheEntrySetModule,
  engineCacheEntryModule,
];
