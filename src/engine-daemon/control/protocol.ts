/** Messages between the CLI and the engine daemon on the control socket. */
import type { EngineEvent, EngineInfo, EngineLimits, SharedCache } from "../../core-api/types.ts";

/** Body of `POST /sessions`. */
export interface OpenSessionRequest {
  /** Absolute folder that relative host paths of the session start from. */
  workdir: string;
  /** The client's environment. It provides `env://` secrets, registry credentials, proxies and certificates. */
  env: Record<string, string>;
  /**
   * The client's umask. Files that the daemon writes for it on the host get the modes that the client's own files would
   * have.
   */
  umask?: number;
  /** `dist/build-id` of the client. An idle daemon of another build refuses (409), so that it is replaced. */
  buildId: string;
  cache?: SharedCache;
  limits?: EngineLimits;
  module?: { name: string; sourceDir: string };
  /** Project whose cache volumes the session uses. */
  project: string;
  /** Whether containers may have root capabilities. */
  rootCapabilities?: boolean;
  /** When set, the session fetches nothing, and its containers have no network. */
  offline?: boolean;
  /** Whether somebody works on the session's services. Edits reach their containers by `GET /live`. */
  live?: boolean;
  /** Whether the client has a terminal. It then answers a `TerminalOffer` by connecting it. */
  terminal?: boolean;
}

/** Body of `POST /caches`, which writes the session's results to its caches and is answered when that is done. */
export interface ExportCachesRequest {
  token: string;
}

export interface ExportedCaches {
  notices: string[];
}

/** Body of `POST /memory`, which asks for the memory of a service's container in a live session. */
export interface ServiceMemoryRequest {
  token: string;
  service: string;
  /** New memory limit of the container. */
  limitBytes?: number;
}

/** Empty when the service does not run or the machine cannot tell. */
export type ServiceMemory = { usedBytes: number; kills: number } | Record<string, never>;

/** Content type of a session's answer. */
export const sessionLines = "application/x-ndjson";

/** First line of the answer to `POST /sessions`. Each further line is a `SessionLine`. */
export interface SessionOpened {
  port: number;
  token: string;
  /** Token with which function bodies use the session. */
  bodyToken: string;
  engine: EngineInfo;
  /** A message for the user, for example that the daemon is of another build. */
  notice?: string;
}

/** Sent every second. By this, the client distinguishes a daemon with nothing to report from a hung one. */
export interface SignOfLife {
  kind: "alive";
}

/** Last line, when the daemon ends the session by itself. */
export interface SessionEnd {
  kind: "session-ended";
  reason: string;
}

/**
 * A program in a container wants the user's terminal. `GET /terminal` with these headers, upgraded, is a stream of
 * frames (terminal/frames.ts) until the program ends.
 */
export interface TerminalOffer {
  kind: "terminal";
  id: string;
  /** Name of the program. */
  name: string;
}

export const terminalProtocol = "fastloop-terminal";
export const terminalHeaders = { token: "x-fastloop-token", id: "x-fastloop-terminal" } as const;

/** `GET /live` with these headers, upgraded, connects to the helper in a service's container (tools/shim/sync.go). */
export const liveProtocol = "fastloop-live";
export const liveHeaders = { token: "x-fastloop-token", service: "x-fastloop-service" } as const;

export type SessionLine = EngineEvent | SessionEnd | SignOfLife | TerminalOffer;

/** Answer to `GET /status`. */
export interface DaemonStatus {
  pid: number;
  /** `dist/build-id` that the daemon was started from. */
  buildId: string;
  version: string;
  startedAt: string;
  stateDir: string;
  buildkit: {
    address: string;
    version: string;
    platforms: string[];
    /** Process of the daemon's own buildkitd, while it is up. */
    pid?: number;
    rootDir?: string;
    /** Set while buildkitd is being restarted after it ended by itself. */
    restarting?: true;
  };
  /** The local image registry, where one is served. */
  registry?: { address: string; pid?: number };
  sessions: number;
  /** Time since the last session closed; 0 while one is open. */
  idleMs: number;
  idleTimeoutMs: number;
}

/** Body of `POST /stop`. Without `force` the daemon refuses (409) while sessions are open. */
export interface StopRequest {
  force?: boolean;
}

/**
 * Answer to `GET /disk`: what BuildKit holds, by its kinds of record (`regular`, `exec.cachemount`, `source.local`).
 */
export interface EngineDisk {
  kinds: Record<string, { bytes: number; reclaimableBytes: number; records: number }>;
  /** Total size of each image's layers, by the reference that it was pulled by. */
  images: { name: string; bytes: number }[];
  /** Cache volumes: owning project, the project's name for each, and where it was mounted. */
  volumes: { project: string; name: string; path: string; bytes: number }[];
}

/** Answer to `POST /prune`, which removes everything that is not in use. */
export interface PrunedDisk {
  freedBytes: number;
  records: number;
}

/** Exit codes of the daemon that the process which starts it understands. */
export const DaemonExit = { stopped: 0, failed: 1, lockHeld: 75 } as const;

/** File in which the daemon stores why it could not start, as JSON of a `StartFailure`. */
export const failureFile = "failure.json";

export interface StartFailure {
  message: string;
  hint?: string;
  detail?: string;
}
