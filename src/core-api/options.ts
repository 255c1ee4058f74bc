import type { Duplex } from "node:stream";
import type { SecretMask } from "../text/index.ts";
import type { EngineEvent, EngineLimits, SharedCache } from "./types.ts";
import type { BuildkitClient } from "../buildkit/types.ts";
import type { KnownImages } from "./image/known-images.ts";
import type { OfferTerminal } from "./terminal/terminals.ts";

export interface ApiSessionOptions {
  buildkit: BuildkitClient;
  /** Host paths are relative to it. */
  workdir: string;
  /** Whose cache volumes the session has: hexadecimal digits (`project-identity.ts`). */
  project: string;
  /** Containers that ask for root capabilities get them. */
  rootCapabilities?: boolean;
  /** Taken from the modes of what exports make on the host; 022 when absent. */
  umask?: number;
  /** Folder that holds the one file `shim` for an architecture (`amd64`, `arm64`). */
  shimDirectory(architecture: string): Promise<string>;
  /** Where the session makes a folder for files on their way; the system's own place when absent. */
  temporaryRoot?: string;
  /** The host's CA certificates as one PEM bundle, and its proxy variables: given to containers by secret mounts. */
  hostTrust(): Promise<{ caBundlePem?: string; environment: Record<string, string> }>;
  onEvent(event: EngineEvent): void;
  /** Undefined where no terminal is attached. */
  offerTerminal?: OfferTerminal;
  /** The client's environment: `env://` secrets, place of the Docker configuration. */
  env: Record<string, string>;
  /** Gets every secret that the session learns. */
  mask?: SecretMask;
  cache?: SharedCache;
  /** What its containers may take together. */
  limits?: EngineLimits;
  /** Somebody works on its services: see `RunningService.live`. */
  live?: boolean;
  /** Nothing is fetched, and containers have no way to the network. */
  offline?: boolean;
  /** What image tags led to, on this machine and before. */
  knownImages?: KnownImages;
  /** Whose functions the session runs. */
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
  /** The request is a function body's: what would reach the user's machine is refused. */
  isBody?: boolean;
  /** Resolves when the client has read the answer or is gone; absent where nobody reads it bit by bit. */
  isRead?: Promise<void>;
}

export interface ApiResponse {
  data?: unknown;
  errors?: unknown[];
}

export interface ApiSession {
  /** One GraphQL request. Aborting the signal cancels what it runs, and nothing else. */
  execute(request: ApiRequest, context: RequestContext): Promise<ApiResponse>;
  /** Writes what this session has evaluated to its shared caches; says for each, in one line, what came of it. */
  exportCaches(signal: AbortSignal): Promise<string[]>;
  /** Connects the user's terminal with what was offered under an id; false where nothing was. */
  connectTerminal(id: string, line: Duplex): boolean;
  /** The helper in the container of a service that runs, by the service's id. Rejects where there is none. */
  connectLive(serviceId: string): Promise<Duplex>;
  /** A word that only the first process of the container of a service has in its command line, in a live session. */
  liveMark(serviceId: string): string | undefined;
  close(): Promise<void>;
}
