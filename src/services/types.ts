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
  /** Where it is, for one that can be at either place. */
  place?: Place;
  /** The last edit that reached it. */
  lastEdit?: LastEdit;
  /** ISO 8601: since when it is in this phase. */
  since: string;
}

/** In its container, or a process of this machine that stands in for it. */
export type Place = "container" | "local";

/** What `up --local` says of a service: a process of this machine takes its place. */
export interface StandIn {
  /** Where it listens on this machine. */
  port: number;
  /** Of the service's ports, the one that leads to it; undefined: the same number, else its first. */
  container: number | undefined;
  /** A shell command; undefined: the user starts it. */
  command: string | undefined;
  /** Relative to the project. */
  cwd: string;
  /** What the service's container has in its environment, as far as it is described. */
  env: Readonly<Record<string, string>>;
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
  /** Its server is not ours to start: it is only looked after. */
  isForeign?: boolean;
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
  standIn?: StandIn;
  /** Its command starts itself again when its files change, as far as its words say. */
  reloads: boolean;
  /** Where it is described: `fastloop.yaml: services.api`, or the function's `file:line`. */
  place: string;
  /** Of what its container is made, as far as configuration and module say: where that is another, it is made anew. */
  description: string;
}

/** A port of this machine, with what it leads to. One that is hidden is for those who need the service, not for people. */
export type LedPort = PortMapping & { front: Front; isHidden?: boolean };

export interface UnitOptions {
  declared: DeclaredService;
  session: EngineSession;
  fronts: readonly LedPort[];
  /** Undefined: what it prints is only told. */
  logFile: string | undefined;
  /** The project's folder, and the environment of the command: for processes of this machine. */
  root: string;
  env: NodeJS.ProcessEnv;
  /** What it needs, as it is now. */
  needed(declared: DeclaredService): readonly ServiceStatus[];
  /** The command that starts a command of this machine in the surroundings that it is to have. */
  within?(command: string): string;
  tell: UpListener;
}
