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
  /** The same session for function bodies: what would reach the user's machine is refused there. */
  readonly body: { port: number; token: string };
  /** One GraphQL request. A failed exec throws `ExecFailure`; other GraphQL errors a `QueryError`. */
  query<T>(document: string, variables?: Record<string, unknown>, options?: QueryOptions): Promise<T>;
  /** Subscribes to events; returns the unsubscribe function. A Dagger engine gives fewer of them. */
  onEvent(listener: (event: EngineEvent) => void): () => void;
  /** The helper in the container of a service that runs, in a live session of the embedded engine; else undefined. */
  readonly openLive?: (serviceId: string) => Promise<Duplex>;
  /**
   * What the container of a service uses, and how often it wanted more than it may have; bounds it where a limit is given. In a live
   * session of the embedded engine; undefined where it does not run, or the machine can't tell.
   */
  readonly serviceMemory?: (
    serviceId: string,
    limitBytes?: number,
  ) => Promise<{ usedBytes: number; kills: number } | undefined>;
  close(): Promise<void>;
}

/** A program in a container that wants the user's terminal. */
export interface RemoteTerminal {
  /** Its command line. */
  readonly name: string;
  /** Starts it; `onOutput` gets what it prints. Rejects when it is no longer wanted. */
  connect(size: TerminalSize, onOutput: (data: Uint8Array) => void): Promise<TerminalLine>;
}

export interface TerminalSize {
  rows: number;
  columns: number;
}

export interface TerminalLine {
  write(data: Uint8Array): void;
  resize(size: TerminalSize): void;
  /** Resolves with the program's exit code, or with undefined when the line broke; why, the query that opened it says. */
  readonly ended: Promise<number | undefined>;
}

export interface OpenSessionOptions {
  /** Host paths of the session are relative to this folder. */
  workdir: string;
  /** `auto`, `embedded` or `dagger`. */
  engine: string;
  /** Address of a BuildKit daemon; overrides the environment's `BUILDKIT_HOST`. */
  buildkitHost?: string;
  /** Nothing is fetched, for the engine or by functions: what is missing is an error. */
  offline?: boolean;
  /** How long an engine that is started for it waits for the next session, in milliseconds. */
  idleMs?: number;
  cache?: SharedCache;
  limits?: EngineLimits;
  /** Whose functions the session runs: what `currentModule` answers with. */
  module?: { name: string; sourceDir: string };
  /** Somebody works on its services: their containers stay when the command ends, and take edits (`openLive`). */
  live?: boolean;
  /** Containers may have root capabilities where they ask for them; on the embedded engine only. */
  rootCapabilities?: boolean;
  /** Ends the opening, and later the writing of the caches. */
  signal?: AbortSignal;
  /** Somebody sits at a terminal; called when a program in a container is to have it. Without it `terminal` is an error. */
  onTerminal?: (terminal: RemoteTerminal) => void;
  /** One line about what is being done (starting the engine, downloading); the CLI prints it on stderr. */
  onNotice?: (text: string) => void;
}
