import type { PortMapping } from "../config/index.ts";
import type { EngineSession } from "../engine/index.ts";
import type { Front } from "./ports/front.ts";

/**
 * What a service is doing:
 *
 *     waiting (needs) ─▶ building ─▶ starting ─▶ healthy ◀─▶ unhealthy
 *        ▲                  │           │           │ its command ended by itself
 *        │                  └─▶ failed ◀┘           ▼
 *        └───────────────── a restart ─────────── ended          any ─▶ stopping ─▶ stopped
 */
export type Phase =
  "waiting" | "building" | "starting" | "healthy" | "unhealthy" | "failed" | "ended" | "stopping" | "stopped";

export interface ServiceStatus {
  name: string;
  phase: Phase;
  /** On loopback of this machine -> in the container. */
  ports: readonly PortMapping[];
  needs: readonly string[];
  /** Why it is failed, ended or unhealthy. */
  reason?: string;
  /** From the begin of its building until it was healthy. */
  startedInMs?: number;
  /** What its container uses; undefined where the engine can't tell. */
  memoryBytes?: number;
  memoryLimitBytes?: number;
  /** The last edit that reached it. */
  lastEdit?: LastEdit;
  /** ISO 8601: since when it is in this phase. */
  since: string;
}

export interface LastEdit {
  action: "synced" | "restarted" | "rebuilt" | "failed";
  /** From the settled edit until it was done. */
  tookMs: number;
  /** ISO 8601. */
  at: string;
}

/** All services of a project that is up. */
export interface UpStatus {
  project: string;
  root: string;
  pid: number;
  /** Every service has started, or failed to. */
  settled: boolean;
  /** Every service is healthy. */
  healthy: boolean;
  services: readonly ServiceStatus[];
}

/** What happens while services are up; reporters only render it. */
export type UpEvent =
  | { kind: "state"; service: ServiceStatus }
  | { kind: "log"; name: string; stream: "stdout" | "stderr"; text: string }
  | { kind: "step"; name: string; step: string; durationMs: number; error?: string }
  | {
      /** An edit has reached a service, or has not: then it goes on as it was. */
      kind: "edit";
      name: string;
      action: LastEdit["action"];
      /** Relative to the project. */
      files: readonly string[];
      tookMs: number;
      reason?: string;
    }
  | {
      /** The configuration or the module was edited: what that changed of what runs, or why it was not taken. */
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

/** When a service is healthy, besides what the engine asks at its start. */
export interface HealthRule {
  /** Answers with less than 400. */
  path?: string;
  /** Default: its first one. */
  port?: number;
  timeoutMs: number;
  /** Default: 127.0.0.1. */
  host?: string;
}

/** Commands of this machine, one of them at least. */
export interface LocalSource {
  kind: "local";
  /** Ends before the server starts. */
  run: string | undefined;
  /** Goes on for as long as services are up. */
  serve: string | undefined;
  /** Relative to the project. */
  cwd: string;
  env: Readonly<Record<string, string>>;
}

/** A service as it is described, before anything is asked of an engine. */
export interface DeclaredService {
  name: string;
  /** Of an `@up()` function, as `dagger up -l` writes it: with the module before it. */
  fullName?: string;
  /** What the function says of itself. */
  summary?: string;
  /** One of `services` or `local`, or a call of the project's module that gives a Service. */
  source: { kind: "configured" } | { kind: "call"; words: readonly string[] } | LocalSource;
  /** What must be healthy before it; what a function binds in its code is not among them. */
  needs: readonly string[];
  /** Undefined: every port that it exposes, under its own number. */
  ports: readonly PortMapping[] | undefined;
  health: HealthRule;
  /** The most that its container may have. */
  memoryBytes: number | undefined;
  /** Its data is on a volume: the old one ends before a new one begins. */
  exclusive: boolean;
  /** Its command starts itself again when its files change, as far as its words say. */
  reloads: boolean;
  /** Where it is described: `fastloop.yaml: services.api`, or the function's `file:line`. */
  place: string;
  /** Of what its container is made, as far as configuration and module say: where that is another, it is made anew. */
  description: string;
}

/** A port of this machine, with what it leads to. */
export type LedPort = PortMapping & { front: Front };

export interface UnitOptions {
  declared: DeclaredService;
  session: EngineSession;
  fronts: readonly LedPort[];
  logFile: string;
  /** The project's folder, and the environment of the command: for processes of this machine. */
  root: string;
  env: NodeJS.ProcessEnv;
  /** Variables that say how it reaches what it needs. */
  reach(declared: DeclaredService): Record<string, string>;
  tell: UpListener;
}
