import type { Duplex } from "node:stream";
import type { TreeEntry } from "../tree/types.ts";
import type { Definition } from "../llb/types.ts";
import type { ContainerRequest, GatewayContainer } from "./container-types.ts";

export type * from "./container-types.ts";

/** A solved result inside one build. It is released when the build is closed. */
export interface Ref {
  readonly id: string;
}

/** Stat of a path inside a ref, like `fsutil.types.Stat`. */
export interface RefStat {
  path: string;
  /** Go's `os.FileMode` bits: permissions in the low 9 bits, `1 << 31` for folders, `1 << 27` for symlinks. */
  mode: number;
  uid: number;
  gid: number;
  sizeBytes: number;
  /** In nanoseconds. */
  modTime: bigint;
  linkname: string;
}

/** The parts of an OCI image configuration that matter to a container. */
export interface ImageConfig {
  architecture: string;
  os: string;
  variant?: string;
  config?: {
    User?: string;
    Env?: string[];
    Entrypoint?: string[];
    Cmd?: string[];
    WorkingDir?: string;
    Labels?: Record<string, string>;
    ExposedPorts?: Record<string, object>;
    Volumes?: Record<string, object>;
    StopSignal?: string;
  };
  [key: string]: unknown;
}

/** BuildKit's status of a running solve, grouped by vertex. */
export interface StatusUpdate {
  vertexes: {
    digest: string;
    name: string;
    cached: boolean;
    startedMs?: number;
    completedMs?: number;
    error?: string;
  }[];
  logs: { vertex: string; stream: "stdout" | "stderr"; data: Uint8Array }[];
}

/** A host tree served to BuildKit over a session of its own; see docs/adr/0003-tree-snapshots.md. */
export interface ServedTree {
  /** BuildKit session id, derived from the listing: the `local.session` attribute. */
  readonly sessionId: string;
  readonly name: string;
}

export interface TreeSource {
  /** Absolute root of the tree on this host. */
  root: string;
  /** Filtered entries to send, in the order of `TreeListing`. */
  entries: readonly TreeEntry[];
  /** `local.sharedkeyhint`: one per root and filter, so that the daemon reuses the last transfer. */
  sharedKeyHint: string;
  /** Digest of the listing, from which the session id is derived. */
  digest: string;
}

/**
 * Details of an exec that ended with a status that is not among its valid ones. Its output comes through the status
 * stream.
 */
export interface ExecFailureInfo {
  vertex: string;
  exitCode: number;
  message: string;
}

export interface SecretStore {
  /**
   * Returns a secret's plaintext by id, or undefined. BuildKit calls this while an exec starts; the signal is aborted
   * when the exec is canceled.
   */
  get(id: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
}

/** A registry's request for a token, in its own words. */
export interface TokenRequest {
  host: string;
  /** URL of the token service that the registry names. */
  realm: string;
  service: string;
  scopes: string[];
}

export interface RegistryToken {
  token: string;
  expiresInSeconds: number;
  /** Seconds since 1970; 0 means now. */
  issuedAtSeconds: number;
}

export interface RegistryAuth {
  username: string;
  secret: string;
}

/** One cache to import from or export to: `registry` with `ref`, `local` with `src` or `dest`, `inline`. */
export interface CacheEntry {
  type: string;
  attrs: Record<string, string>;
}

/** What a long-lived build (one per API session) needs from its owner. */
export interface BuildOptions {
  secrets: SecretStore;
  /** Resolves to the credentials for a registry host, or undefined for anonymous access. */
  registryAuth: (host: string) => Promise<RegistryAuth | undefined>;
  /**
   * Exchanges a registry's password for a token at the token service that the registry names. Throws the reason when it
   * must not or cannot.
   */
  registryToken: (request: TokenRequest) => Promise<RegistryToken>;
  onStatus: (update: StatusUpdate) => void;
  /** Connects to the socket that a container mounts under this id. Resolves to undefined when there is none. */
  openSocket?(id: string): Promise<Duplex | undefined>;
  /** Caches from which every solve of the build may take results; called before each solve. */
  cacheImports?(): Promise<readonly CacheEntry[]>;
}

/** Destination of an exporter's bytes or files. */
export type ExportSink =
  /**
   * For the `local` exporter: files are written below this host folder. `wipe` removes entries that are not in the
   * export.
   */
  | { kind: "directory"; path: string; wipe?: boolean }
  /** For the `oci`, `docker` and `tar` exporters, which send one stream. */
  | { kind: "file"; path: string; mode?: number }
  /** For the `image` exporter with push, which only returns a response. */
  | { kind: "none" };

export interface ExportRequest {
  type: "local" | "tar" | "oci" | "docker" | "image";
  attributes: Record<string, string>;
  sink: ExportSink;
  /** One entry, or one per platform (key `linux/amd64`) for a multi-platform result. */
  results: { platform?: string; definition: Definition; config?: ImageConfig }[];
}

export interface FrontendRequest {
  frontend: string;
  options: Record<string, string>;
  /** Named trees, for example `context` and `dockerfile`. */
  inputs: Record<string, Definition>;
}

export interface FrontendResult {
  /** Undefined for the empty file system. */
  definition: Definition | undefined;
  config?: ImageConfig;
}

/** Long-lived handle through which one API session solves and reads. */
export interface Build {
  /** Solves a definition and resolves when it has been evaluated. Aborting cancels the execs of this solve only. */
  solve(
    definition: Definition,
    /** If given, `onStatus` gets the status of this solve instead of the build's listener. */
    options?: { signal?: AbortSignal; onStatus?: (update: StatusUpdate) => void },
  ): Promise<Ref | undefined>;
  readFile(ref: Ref, path: string, range?: { offset: number; length: number }): Promise<Uint8Array>;
  /** Lists one level of a folder. `includePattern` uses BuildKit's pattern syntax. */
  readDir(ref: Ref, path: string, includePattern?: string): Promise<RefStat[]>;
  statFile(ref: Ref, path: string): Promise<RefStat>;
  /** Runs a frontend of the daemon (`dockerfile.v0`), which returns a definition. */
  solveFrontend(
    request: FrontendRequest,
    options?: { signal?: AbortSignal; onStatus?: (update: StatusUpdate) => void },
  ): Promise<FrontendResult>;
  resolveImageConfig(ref: string, platform: string): Promise<{ digest: string; config: ImageConfig; ref: string }>;
  /** Writes the results of definitions to a cache. */
  exportCache(definitions: readonly Definition[], cache: CacheEntry, signal: AbortSignal): Promise<void>;
  /**
   * Runs an exporter over definitions in a solve of its own. Returns the exporter's response (`containerimage.digest`,
   * …).
   */
  export(
    request: ExportRequest,
    options?: { signal?: AbortSignal; onStatus?: (update: StatusUpdate) => void },
  ): Promise<Record<string, string>>;
  /** Creates a container in which processes run until it is released or this build is closed. */
  openContainer(
    request: ContainerRequest,
    options?: { signal?: AbortSignal; onStatus?: (update: StatusUpdate) => void },
  ): Promise<GatewayContainer>;
  close(): Promise<void>;
}

/** Disk space that the daemon's cache takes. */
export interface DiskUsage {
  totalBytes: number;
  /** Size of the records not in use, which `prune` with `all` would free. */
  reclaimableBytes: number;
  records: { description: string; recordType: string; inUse: boolean; sizeBytes: number; lastUsedMs: number }[];
}

export interface PruneOptions {
  /**
   * Also remove records that could still be used, such as cache mounts and images. Without it, only unreferenced ones
   * are removed.
   */
  all?: boolean;
  /** Keep records that were used within this time. */
  keepUsedWithinMs?: number;
  /** Stop pruning at this total size. */
  keepBytes?: number;
}

/** A connection to one BuildKit daemon. */
export interface BuildkitClient {
  readonly address: string;
  /**
   * Returns the version, the platforms of the first worker in order of preference, and whether its containers have a
   * network of their own (`isolated`) or share the host's.
   */
  info(): Promise<{ version: string; platforms: string[]; network: "isolated" | "host" }>;
  openBuild(options: BuildOptions): Promise<Build>;
  /** Returns the cache records and their total size. */
  diskUsage(): Promise<DiskUsage>;
  /** Removes cache records that are not in use. Returns how much that freed. */
  prune(options?: PruneOptions): Promise<{ freedBytes: number; records: number }>;
  /** Serves a tree until `release`. A digest is served once, however many callers ask for it. */
  serveTree(tree: TreeSource): Promise<ServedTree & { release(): void }>;
  close(): Promise<void>;
}
