import type { Duplex } from "node:stream";
import type { EngineEvent, EngineInfo, EngineLimits, SharedCache } from "../core-api/types.ts";
import type { QueryOptions } from "../graphql/index.ts";

export type { CacheLocation, EngineEvent, EngineInfo, EngineLimits, SharedCache } from "../core-api/types.ts";
export type { QueryOptions } from "../graphql/index.ts";

/** An open session: a Dagger GraphQL endpoint on loopback. Closing it releases everything that it holds. */
export interface EngineSession {
  readonly engine: EngineInfo;
  /** `DAGGER_SESSION_PORT`. */
  readonly port: number;
  /** `DAGGER_SESSION_TOKEN`. Never logged. */
  readonly token: string;
  /** Access to the session for function bodies; requests that would reach the host are refused there. */
  readonly body: { port: number; token: string };
  /** Sends one GraphQL request. Throws `ExecFailure` for a failed exec, `QueryError` for other GraphQL errors. */
  query<T>(document: string, variables?: Record<string, unknown>, options?: QueryOptions): Promise<T>;
  /** Subscribes to events; returns the function that unsubscribes. A Dagger engine sends fewer of them. */
  onEvent(listener: (event: EngineEvent) => void): () => void;
  /** Connects to the helper in a running service's container; only in a live session of the embedded engine. */
  readonly openLive?: (serviceId: string) => Promise<Duplex>;
  /**
   * Returns the memory that a service's container uses and how often it hit its limit; sets the limit if one is given.
   * Only in a live session of the embedded engine; undefined if the service does not run or the host cannot tell.
   */
  readonly serviceMemory?: (
    serviceId: string,
    limitBytes?: number,
  ) => Promise<{ usedBytes: number; kills: number } | undefined>;
  close(): Promise<void>;
}

/** A program in a container that needs the user's terminal. */
export interface RemoteTerminal {
  /** Command line of the program. */
  readonly name: string;
  /** Starts the program; `onOutput` receives its output. Rejects when the terminal is no longer needed. */
  connect(size: TerminalSize, onOutput: (data: Uint8Array) => void): Promise<TerminalLine>;
}

export interface TerminalSize {
  rows: number;
  columns: number;
}

export interface TerminalLine {
  write(data: Uint8Array): void;
  resize(size: TerminalSize): void;
  /**
   * Resolves with the program's exit code; undefined if the connection broke, for which the query that opened it gives
   * the reason.
   */
  readonly ended: Promise<number | undefined>;
}

export interface OpenSessionOptions {
  /** Base of the session's relative host paths. */
  workdir: string;
  /** `auto`, `embedded` or `dagger`. */
  engine: string;
  /** Address of a BuildKit daemon; overrides the environment's `BUILDKIT_HOST`. */
  buildkitHost?: string;
  /** Nothing is fetched, neither for the engine nor by functions: missing items are errors. */
  offline?: boolean;
  /** How long an engine started for this session waits for the next one, in milliseconds. */
  idleMs?: number;
  cache?: SharedCache;
  limits?: EngineLimits;
  /** The module whose functions the session runs, which `currentModule` returns. */
  module?: { name: string; sourceDir: string };
  /**
   * Whether somebody works on the session's services: their containers outlive the command and take edits (`openLive`).
   */
  live?: boolean;
  /** Whether containers may have root capabilities when they ask for them; only on the embedded engine. */
  rootCapabilities?: boolean;
  /** Aborts the opening, and later the writing of the caches. */
  signal?: AbortSignal;
  /** Called when a program in a container needs the user's terminal. Without it `terminal` is an error. */
  onTerminal?: (terminal: RemoteTerminal) => void;
  /** Receives one line about slow work (starting the engine, downloading), which the CLI prints on stderr. */
  onNotice?: (text: string) => void;
}
