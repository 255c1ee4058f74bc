import type { PortMapping } from "../config/index.ts";
import type { EngineSession } from "../engine/index.ts";
import type { Front } from "./ports/front.ts";

/**
 * Phase of a service:
 *
 *     waiting (needs) ─▶ building ─▶ starting ─▶ healthy ◀─▶ unhealthy
 *        ▲                  │           │           │ its command exited
 *        │                  └─▶ failed ◀┘           ▼
 *        └───────────────── a restart ─────────── ended          any ─▶ stopping ─▶ stopped
 */
export type Phase =
  "waiting" | "building" | "starting" | "healthy" | "unhealthy" | "failed" | "ended" | "stopping" | "stopped";

export interface ServiceStatus {
  name: string;
  phase: Phase;
  /** Ports: loopback on the host -> in the container. */
  ports: readonly PortMapping[];
  needs: readonly string[];
  /** Why the service is failed, ended or unhealthy. */
  reason?: string;
  /** Time from the start of the build until the service was healthy. */
  startedInMs?: number;
  /** Memory that the container uses; undefined when the engine does not report it. */
  memoryBytes?: number;
  memoryLimitBytes?: number;
  /** Where the service runs now; only set for one that can run at either place. */
  place?: Place;
  /** The last edit that reached the service. */
  lastEdit?: LastEdit;
  /** Start of the current phase, ISO 8601. */
  since: string;
}

/** Where a service runs: in its container, or as a host process that stands in for it. */
export type Place = "container" | "local";

/** `up --local` for one service: a process on the host takes its place. */
export interface StandIn {
  /** Port on the host where the process listens. */
  port: number;
  /** Which of the service's ports leads to the process. Undefined: the one with the same number, else the first. */
  container: number | undefined;
  /** Shell command; undefined when the user starts the process. */
  command: string | undefined;
  /** Relative to the project. */
  cwd: string;
  /** Environment of the service's container, as far as the description states it. */
  env: Readonly<Record<string, string>>;
}

export interface LastEdit {
  action: "synced" | "restarted" | "rebuilt" | "failed";
  /** Time from the settled edit until it was applied. */
  tookMs: number;
  /** ISO 8601. */
  at: string;
}

/** All services of a project that is up. */
export interface UpStatus {
  project: string;
  root: string;
  pid: number;
  /** Whether every service has started, or failed to. */
  settled: boolean;
  /** Whether every service is healthy. */
  healthy: boolean;
  services: readonly ServiceStatus[];
}

/** An event while services are up. Reporters only render it. */
export type UpEvent =
  | { kind: "state"; service: ServiceStatus }
  | { kind: "log"; name: string; stream: "stdout" | "stderr"; text: string }
  | { kind: "step"; name: string; step: string; durationMs: number; error?: string }
  | {
      /** An edit reached a service. With action `failed` it did not, and the service runs on unchanged. */
      kind: "edit";
      name: string;
      action: LastEdit["action"];
      /** Relative to the project. */
      files: readonly string[];
      tookMs: number;
      reason?: string;
    }
  | {
      /**
       * The configuration or the module was edited: which services changed, or why the edit was rejected (`reason`).
       */
      kind: "described";
      files: readonly string[];
      added: readonly string[];
      changed: readonly string[];
      removed: readonly string[];
      tookMs: number;
      reason?: string;
    }
  | { kind: "notice"; text: string }
  | { kind: "settled"; healthy: boolean; tookMs: number };

export type UpListener = (event: UpEvent) => void;

/** When a service counts as healthy, besides the engine's own check at its start. */
export interface HealthRule {
  /** HTTP path; a status below 400 is healthy. */
  path?: string;
  /** Port in the container; default: the first exposed one. */
  port?: number;
  timeoutMs: number;
  /** Default: 127.0.0.1. */
  host?: string;
}

/** Commands that run on the host; at least one of `run` and `serve` is set. */
export interface LocalSource {
  kind: "local";
  /** Command that has to exit with 0 before the server starts. */
  run: string | undefined;
  /** Server command, which runs for as long as services are up. */
  serve: string | undefined;
  /** The user starts and stops the server; fastloop only probes it. */
  isForeign?: boolean;
  /** Relative to the project. */
  cwd: string;
  env: Readonly<Record<string, string>>;
}

/** A service as the project describes it, before the engine is asked anything. */
export interface DeclaredService {
  name: string;
  /** Name of an `@up()` function as `dagger up -l` prints it, with the module in front. */
  fullName?: string;
  /** The function's documentation. */
  summary?: string;
  /** An entry of `services` or `local`, or a call of the project's module that returns a Service. */
  source: { kind: "configured" } | { kind: "call"; words: readonly string[] } | LocalSource;
  /** Services that must be healthy first. Services that a function binds in its code are not listed. */
  needs: readonly string[];
  /** Undefined: every exposed port, under its own number. */
  ports: readonly PortMapping[] | undefined;
  health: HealthRule;
  /** Memory limit of the container. */
  memoryBytes: number | undefined;
  /** Whether its data is on a volume: then the old container stops before the new one starts. */
  exclusive: boolean;
  standIn?: StandIn;
  /** Whether its command seems to reload by itself when files change, judged by the command's words. */
  reloads: boolean;
  /** Where it is described: `fastloop.yaml: services.api`, or the function's `file:line`. */
  place: string;
  /**
   * Key of what the container is made of, as far as configuration and module tell. When it differs, the container is
   * recreated.
   */
  description: string;
}

/**
 * A port on the host and the listener behind it. A hidden one serves services that need this one, and is not shown to
 * users.
 */
export type ForwardedPort = PortMapping & { front: Front; isHidden?: boolean };

export interface UnitOptions {
  declared: DeclaredService;
  session: EngineSession;
  fronts: readonly ForwardedPort[];
  /** Undefined: output is only reported, not kept. */
  logFile: string | undefined;
  /** The project's folder; `env` is the environment of the command line. Both are for host processes. */
  root: string;
  env: NodeJS.ProcessEnv;
  /** Current status of the services that this one needs. */
  needed(declared: DeclaredService): readonly ServiceStatus[];
  /** Wraps a host command so that it runs in the intended environment; returns the command to run instead. */
  within?(command: string): string;
  emit: UpListener;
}
