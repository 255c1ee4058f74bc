import { codec } from "../proto/codec.ts";
import type { CacheEntry } from "../types.ts";
import type { Definition } from "../../llb/types.ts";

/** One RPC: its path, and how its request and response are encoded. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly serialize: (request: Request) => Buffer;
  readonly deserialize: (bytes: Buffer) => Response;
}

function method<Request extends object, Response extends object>(
  path: string,
  request: string,
  response: string,
): Method<Request, Response> {
  return { path, serialize: codec<Request>(request).encode, deserialize: codec<Response>(response).decode };
}

export interface Timestamp {
  /** A 64-bit integer in decimal. */
  seconds: string;
  nanos: number;
}

export interface WirePlatform {
  os: string;
  architecture: string;
  variant: string;
}

export interface WireStat {
  path: string;
  mode: number;
  uid: number;
  gid: number;
  size: string;
  modTime: string;
  linkname: string;
}

export interface ResultMessage {
  ref?: { id: string; def?: Definition | null };
  refs?: { refs: Record<string, { id: string }> };
  metadata?: Record<string, Uint8Array>;
}

export interface StatusMessage {
  vertexes: {
    digest: string;
    name: string;
    cached: boolean;
    started: Timestamp | null;
    completed: Timestamp | null;
    error: string;
  }[];
  logs: { vertex: string; timestamp: Timestamp | null; stream: string; msg: Uint8Array }[];
}

export interface ControlSolveRequest {
  ref: string;
  session: string;
  cache: { imports: CacheEntry[]; exports: CacheEntry[] };
  entitlements: string[];
  internal: boolean;
  exporters: { type: string; attrs: Record<string, string> }[];
}

const controlService = "/moby.buildkit.v1.Control";

/** The daemon's own API. */
export const control = {
  info: method<object, { buildkitVersion: { version: string } | null }>(
    `${controlService}/Info`,
    "control.InfoRequest",
    "control.InfoResponse",
  ),
  listWorkers: method<object, { record: { id: string; labels: Record<string, string>; platforms: WirePlatform[] }[] }>(
    `${controlService}/ListWorkers`,
    "control.ListWorkersRequest",
    "control.ListWorkersResponse",
  ),
  solve: method<ControlSolveRequest, { exporterResponse: Record<string, string> }>(
    `${controlService}/Solve`,
    "control.SolveRequest",
    "control.SolveResponse",
  ),
  status: method<{ ref: string }, StatusMessage>(
    `${controlService}/Status`,
    "control.StatusRequest",
    "control.StatusResponse",
  ),
  session: method<{ data: Uint8Array }, { data: Buffer }>(
    `${controlService}/Session`,
    "session.BytesMessage",
    "session.BytesMessage",
  ),
  prune: method<PruneRequest, UsageRecordMessage>(
    `${controlService}/Prune`,
    "control.PruneRequest",
    "control.UsageRecord",
  ),
  diskUsage: method<{ filter?: string[] }, { record: UsageRecordMessage[] }>(
    `${controlService}/DiskUsage`,
    "control.DiskUsageRequest",
    "control.DiskUsageResponse",
  ),
};

export interface PruneRequest {
  filter?: string[];
  all?: boolean;
  /** In nanoseconds. */
  keepDuration?: number;
  reservedSpace?: number;
  maxUsedSpace?: number;
  minFreeSpace?: number;
}

export interface UsageRecordMessage {
  id: string;
  mutable: boolean;
  inUse: boolean;
  size: string;
  description: string;
  recordType: string;
  shared: boolean;
  usageCount: string;
  lastUsedAt: Timestamp | null;
}

const bridgeService = "/moby.buildkit.v1.frontend.LLBBridge";

/** API of one open build. Every call carries the build's id in its metadata. */
export const bridge = {
  solve: method<
    {
      definition: Definition;
      allowResultReturn: boolean;
      allowResultArrayRef: boolean;
      cacheImports?: readonly CacheEntry[];
    },
    { result: ResultMessage | null }
  >(`${bridgeService}/Solve`, "gateway.SolveRequest", "gateway.SolveResponse"),
  solveFrontend: method<
    {
      frontend: string;
      frontendOpt: Record<string, string>;
      frontendInputs: Record<string, Definition>;
      allowResultReturn: boolean;
      allowResultArrayRef: boolean;
    },
    { result: ResultMessage | null }
  >(`${bridgeService}/Solve`, "gateway.SolveRequest", "gateway.SolveResponse"),
  evaluate: method<{ ref: string }, object>(
    `${bridgeService}/Evaluate`,
    "gateway.EvaluateRequest",
    "gateway.EvaluateResponse",
  ),
  return: method<{ result?: ResultMessage; error?: { code: number; message: string } }, object>(
    `${bridgeService}/Return`,
    "gateway.ReturnRequest",
    "gateway.ReturnResponse",
  ),
  readFile: method<{ ref: string; filePath: string; range?: { offset: number; length: number } }, { data: Buffer }>(
    `${bridgeService}/ReadFile`,
    "gateway.ReadFileRequest",
    "gateway.ReadFileResponse",
  ),
  readDir: method<{ ref: string; dirPath: string; includePattern?: string }, { entries: WireStat[] }>(
    `${bridgeService}/ReadDir`,
    "gateway.ReadDirRequest",
    "gateway.ReadDirResponse",
  ),
  statFile: method<{ ref: string; path: string }, { stat: WireStat | null }>(
    `${bridgeService}/StatFile`,
    "gateway.StatFileRequest",
    "gateway.StatFileResponse",
  ),
  resolveImageConfig: method<
    {
      ref: string;
      platform: { os: string; architecture: string; variant?: string };
      resolveMode?: string;
      logName?: string;
    },
    { digest: string; config: Buffer; ref: string }
  >(`${bridgeService}/ResolveImageConfig`, "gateway.ResolveImageConfigRequest", "gateway.ResolveImageConfigResponse"),
};
