import type { Duplex } from "node:stream";
import type { TreeEntry } from "../tree/types.ts";
import type { Definition } from "../llb/types.ts";
import type { ContainerRequest, GatewayContainer } from "./container-types.ts";

export type * from "./container-types.ts";

/** A solved result inside one build; released when the build is closed. */
export interface Ref {
  readonly id: string;
}

/** Stat of a path inside a ref, as `fsutil.types.Stat` gives it. */
export interface RefStat {
  path: string;
  /** Go `os.FileMode` bits: permissions in the low 9 bits, `1 << 31` for folders, `1 << 27` for symlinks. */
  mode: number;
  uid: number;
  gid: number;
  sizeBytes: number;
  /** Nanoseconds. */
  modTime: bigint;
  linkname: string;
}

/** The OCI image configuration that matters to a container. */
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

/** BuildKit's own account of a running solve, grouped by vertex. */
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
  /** What to send, sorted as `TreeListing` is; already filtered. */
  entries: readonly TreeEntry[];
  /** `local.sharedkeyhint`: one per root and filter, so that the daemon reuses the last transfer. */
  sharedKeyHint: string;
  /** Digest of the listing; becomes the session id. */
  digest: string;
}

/** Thrown when an exec ends with a non-zero status. stdout and stderr are what the status stream carried. */
export interface ExecFailureInfo {
  vertex: string;
  exitCode: number;
  message: string;
}

export interface SecretStore {
  /** Plaintext of a secret by id, or undefined. Called by BuildKit while an exec starts; aborted when it is given up. */
  get(id: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
}

/** What a registry wants a token for, in its own words. */
export interface TokenRequest {
  host: string;
  /** URL of the token service that it names. */
  realm: string;
  service: string;
  scopes: string[];
}

export interface RegistryToken {
  token: string;
  expiresInSeconds: number;
  /** Since 1970; 0 for now. */
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
  /** Credentials for a registry host, or undefined for anonymous. */
  registryAuth: (host: string) => Promise<RegistryAuth | undefined>;
  /** A token for the password of a registry, from where the registry says; throws why not. */
  registryToken: (request: TokenRequest) => Promise<RegistryToken>;
  onStatus: (update: StatusUpdate) => void;
  /** The other end of a socket that a container mounts by this id; undefined when there is none. */
  openSocket?(id: string): Promise<Duplex | undefined>;
  /** Caches that every solve of the build may take results from; asked before each. */
  cacheImports?(): Promise<readonly CacheEntry[]>;
}

/** Where an exporter's bytes or files go. */
export type ExportSink =
  /** The `local` exporter: files are written below this host folder; `wipe` removes what is not in the export. */
  | { kind: "directory"; path: string; wipe?: boolean }
  /** `oci`, `docker` or `tar` exporters: one stream. */
  | { kind: "file"; path: string; mode?: number }
  /** The `image` exporter with push: nothing comes back but the response. */
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
  /** Named trees, e.g. `context` and `dockerfile`. */
  inputs: Record<string, Definition>;
}

export interface FrontendResult {
  /** Undefined for the empty file system. */
  definition: Definition | undefined;
  config?: ImageConfig;
}

/** A long-lived gateway build: the handle through which one API session solves and reads. */
export interface Build {
  /** Solves; resolves when the definition has been evaluated. Aborting cancels the execs of this solve only. */
  solve(
    definition: Definition,
    /** `onStatus` gets this solve's own account, in place of the build's. */
    options?: { signal?: AbortSignal; onStatus?: (update: StatusUpdate) => void },
  ): Promise<Ref | undefined>;
  readFile(ref: Ref, path: string, range?: { offset: number; length: number }): Promise<Uint8Array>;
  /** One level; `includePattern` is BuildKit's. */
  readDir(ref: Ref, path: string, includePattern?: string): Promise<RefStat[]>;
  statFile(ref: Ref, path: string): Promise<RefStat>;
  /** Lets a frontend of the daemon (`dockerfile.v0`) make a definition. */
  solveFrontend(
    request: FrontendRequest,
    options?: { signal?: AbortSignal; onStatus?: (update: StatusUpdate) => void },
  ): Promise<FrontendResult>;
  resolveImageConfig(ref: string, platform: string): Promise<{ digest: string; config: ImageConfig; ref: string }>;
  /** Writes the results of definitions to a cache. */
  exportCache(definitions: readonly Definition[], cache: CacheEntry, signal: AbortSignal): Promise<void>;
  /** Runs an exporter over definitions in a solve of its own; returns the exporter's response (`containerimage.digest`, …). */
  export(
    request: ExportRequest,
    options?: { signal?: AbortSignal; onStatus?: (update: StatusUpdate) => void },
  ): Promise<Record<string, string>>;
  /** Makes a container that processes run in until it is released, or this build is closed. */
  openContainer(
    request: ContainerRequest,
    options?: { signal?: AbortSignal; onStatus?: (update: StatusUpdate) => void },
  ): Promise<GatewayContainer>;
  close(): Promise<void>;
}

/** What the daemon's cache takes on its disk. */
export interface DiskUsage {
  totalBytes: number;
  /** Not in use now: what `prune` with `all` would free. */
  reclaimableBytes: number;
  records: { description: string; recordType: string; inUse: boolean; sizeBytes: number; lastUsedMs: number }[];
}

export interface PruneOptions {
  /** Also what is still of use, such as cache mounts and images; without it only what nothing refers to. */
  all?: boolean;
  /** Leave what was used within this time. */
  keepUsedWithinMs?: number;
  /** Prune no further than down to this size. */
  keepBytes?: number;
}

/** A connection to one BuildKit daemon. */
export interface BuildkitClient {
  readonly address: string;
  /**
   * Version, and of the first worker its platforms in order of preference and whether a container has a network of its
   * own (`isolated`) or shares the host's.
   */
  info(): Promise<{ version: string; platforms: string[]; network: "isolated" | "host" }>;
  openBuild(options: BuildOptions): Promise<Build>;
  /** Serves a tree until `release`; the same digest is served once however often it is asked for. */
  diskUsage(): Promise<DiskUsage>;
  /** Removes cache records that are not in use; returns what that freed. */
  prune(options?: PruneOptions): Promise<{ freedBytes: number; records: number }>;
  serveTree(tree: TreeSource): Promise<ServedTree & { release(): void }>;
  close(): Promise<void>;
}
