/** What the CLI and the engine daemon say to each other over the control socket. */
import type { EngineEvent, EngineInfo, EngineLimits, SharedCache } from "../../core-api/types.ts";

/** Body of `POST /sessions`. */
export interface OpenSessionRequest {
  /** Host paths of the session are relative to this absolute folder. */
  workdir: string;
  /** The client's environment: `env://` secrets, registry credentials, proxies and certificates come from it. */
  env: Record<string, string>;
  /** The client's umask: what the daemon writes for it on the host has the modes that the client's own files would have. */
  umask?: number;
  /** `dist/build-id` of the client. A daemon of another build refuses (409) while it is idle, so as to be replaced. */
  buildId: string;
  cache?: SharedCache;
  limits?: EngineLimits;
  module?: { name: string; sourceDir: string };
  /** Whose cache volumes the session has. */
  project: string;
  /** Containers that ask for root capabilities get them. */
  rootCapabilities?: boolean;
  /** Nothing is fetched, and containers have no way to the network. */
  offline?: boolean;
  /** Somebody works on its services: edits reach their containers by `GET /live`. */
  live?: boolean;
  /** Somebody sits at a terminal: a `TerminalOffer` is answered by connecting to it. */
  terminal?: boolean;
}

/** Body of `POST /caches`: writes the session's results to its caches; answered when that is done. */
export interface ExportCachesRequest {
  token: string;
}

export interface ExportedCaches {
  notices: string[];
}

/** Body of `POST /memory`: of the container of a service, in a live session. */
export interface ServiceMemoryRequest {
  token: string;
  service: string;
  /** What it may have from now on. */
  limitBytes?: number;
}

/** Empty where it does not run, or the machine can't tell. */
export type ServiceMemory = { usedBytes: number; kills: number } | Record<string, never>;

/** Kind of the answer that a session is. */
export const sessionLines = "application/x-ndjson";

/** First line of the answer to `POST /sessions`; each further line is a `SessionLine`. */
export interface SessionOpened {
  port: number;
  token: string;
  /** Opens the same session to function bodies. */
  bodyToken: string;
  engine: EngineInfo;
  /** Something that the user should know, e.g. that the daemon is of another build. */
  notice?: string;
}

/** A line each second: the client tells a daemon with nothing to say from a stuck one. */
export interface SignOfLife {
  kind: "alive";
}

/** Last line, when the daemon ends the session by itself. */
export interface SessionEnd {
  kind: "session-ended";
  reason: string;
}

/**
 * A program in a container wants the user's terminal: `GET /terminal` with these headers, upgraded, is a stream of frames
 * (terminal/frames.ts) until the program ends.
 */
export interface TerminalOffer {
  kind: "terminal";
  id: string;
  /** What will run. */
  name: string;
}

export const terminalProtocol = "fastloop-terminal";
export const terminalHeaders = { token: "x-fastloop-token", id: "x-fastloop-terminal" } as const;

/** `GET /live` with these headers, upgraded, is the line to the helper in a service's container (tools/shim/sync.go). */
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
    /** Of our own one, while it is up. */
    pid?: number;
    rootDir?: string;
    /** It ended by itself, and is being started again. */
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

/** Answer to `GET /disk`: what BuildKit holds, by its kinds of record (`regular`, `exec.cachemount`, `source.local`). */
export interface EngineDisk {
  kinds: Record<string, { bytes: number; reclaimableBytes: number; records: number }>;
  /** Layers of images, together, by the reference that they were pulled by. */
  images: { name: string; bytes: number }[];
  /** Cache volumes: whose they are, what the project calls them, where they were mounted. */
  volumes: { project: string; name: string; path: string; bytes: number }[];
}

/** Answer to `POST /prune`: all that is not in use goes. */
export interface PrunedDisk {
  freedBytes: number;
  records: number;
}

/** The daemon's exit codes that its starter understands. */
export const DaemonExit = { stopped: 0, failed: 1, lockHeld: 75 } as const;

/** The daemon leaves the reason why it could not start here, as JSON of a `StartFailure`. */
export const failureFile = "failure.json";

export interface StartFailure {
  message: string;
  hint?: string;
  detail?: string;
}
