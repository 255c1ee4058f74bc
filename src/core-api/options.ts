import type { Duplex } from "node:stream";
import type { SecretMask } from "../text/index.ts";
import type { EngineEvent, EngineLimits, SharedCache } from "./types.ts";
import type { BuildkitClient } from "../buildkit/types.ts";
import type { KnownImages } from "./image/known-images.ts";
import type { OfferTerminal } from "./terminal/terminals.ts";

export interface ApiSessionOptions {
  buildkit: BuildkitClient;
  /** Folder that relative host paths start from. */
  workdir: string;
  /** Project whose cache volumes the session uses, as hexadecimal digits (`project-identity.ts`). */
  project: string;
  /** Whether containers may have root capabilities; a request for them is refused when absent. */
  rootCapabilities?: boolean;
  /** Umask for the folders and image archives that exports create on the host; 022 when absent. */
  umask?: number;
  /** Resolves to a folder whose only file is `shim`, built for an architecture (`amd64`, `arm64`). */
  shimDirectory(architecture: string): Promise<string>;
  /** Parent of the session's folder for files in transit; the system's temporary folder when absent. */
  temporaryRoot?: string;
  /**
   * The host's CA certificates as one PEM bundle, and its proxy variables. Containers get both through secret mounts.
   */
  hostTrust(): Promise<{ caBundlePem?: string; environment: Record<string, string> }>;
  onEvent(event: EngineEvent): void;
  /** Offers the user's terminal to a program in a container; undefined where no terminal is attached. */
  offerTerminal?: OfferTerminal;
  /** The client's environment: source of `env://` secrets and of the Docker configuration's location. */
  env: Record<string, string>;
  /** Mask to which the session adds every secret that it learns. */
  mask?: SecretMask;
  cache?: SharedCache;
  /** Limits that all containers of the session share. */
  limits?: EngineLimits;
  /** Whether somebody works on the session's services: see `RunningService.live`. */
  live?: boolean;
  /** When set, the session fetches nothing, and its containers have no network. */
  offline?: boolean;
  /** Images that this machine's tags resolved to, now and in earlier sessions. */
  knownImages?: KnownImages;
  /** Module whose functions the session runs. */
  module?: { name: string; sourceDir: string };
}

export interface ApiRequest {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
}

export interface RequestContext {
  callId?: string;
  signal: AbortSignal;
  /** Whether a function body sent the request: fields that reach the user's machine are refused then. */
  isBody?: boolean;
  /**
   * Resolves when the client has read the answer or disconnected; absent where the answer is not streamed to a client.
   */
  isRead?: Promise<void>;
}

export interface ApiResponse {
  data?: unknown;
  errors?: unknown[];
}

export interface ApiSession {
  /** Executes one GraphQL request. Aborting the signal cancels the work of this request only. */
  execute(request: ApiRequest, context: RequestContext): Promise<ApiResponse>;
  /** Writes the session's results to its shared caches. Returns one line per cache that says how the export went. */
  exportCaches(signal: AbortSignal): Promise<string[]>;
  /**
   * Connects the user's terminal to the program that was offered under an id. Returns false when no offer has this id.
   */
  connectTerminal(id: string, line: Duplex): boolean;
  /**
   * Connects to the sync helper in a running service's container. Throws when the service does not run or the session
   * is not live.
   */
  connectLive(serviceId: string): Promise<Duplex>;
  /**
   * Returns a word that occurs in the command line of the service container's first process only. Undefined outside
   * live sessions.
   */
  liveMark(serviceId: string): string | undefined;
  close(): Promise<void>;
}
