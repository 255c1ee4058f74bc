/** Messages between the page and its server. Texts in them are not trusted; the page never treats one as HTML. */

/** Color of a state; the state's word is always beside it. */
export type Tone = "good" | "bad" | "busy" | "waiting" | "idle";

/** `local` and `container` move a service there. */
export type NodeAction = "run" | "cancel" | "restart" | "local" | "container";

/** A function or a service. */
export interface PageNode {
  /** Id in actions and logs. */
  id: string;
  kind: "function" | "service";
  /** Name to show, without control characters. */
  name: string;
  needs: string[];
  state: string;
  tone: Tone;
  /** One line: the current step, what it waits for, why it ran, or where it listens. */
  detail?: string;
  /** Reason of a failure, several lines. */
  failure?: string;
  /** Start of the current state while it lasts, in milliseconds since 1970. */
  sinceMs?: number;
  /** End of the last run, or of the start of the service. */
  endedMs?: number;
  tookMs?: number;
  digest?: string;
  tests?: string;
  steps?: { total: number; cached: number };
  /** Ports on loopback of the host. */
  ports?: number[];
  can: NodeAction[];
}

/** State of the whole command. */
export interface PageTop {
  project: string;
  /** `fastloop watch` or `fastloop up`. */
  command: string;
  version: string;
  /** One line: what it waits for, or what can't be read. */
  status: string;
  tone: Tone;
  engine?: string;
  /** Whether edits only mark what they affect; absent for commands without that mode. */
  manual?: boolean;
}

export interface PageNotice {
  atMs: number;
  text: string;
}

/** All that the page shows without further requests. */
export interface PageState {
  top: PageTop;
  /** In dependency order. */
  nodes: PageNode[];
  /** Newest last. */
  notices: PageNotice[];
  /** Number of the newest log line. */
  logEnd: number;
}

/** Changes since the last state or change. Nodes and lines are complete. */
export interface PageChange {
  top?: PageTop;
  nodes?: PageNode[];
  /** All ids in order, if any were added, removed or moved. */
  order?: string[];
  notices?: PageNotice[];
  lines?: LogLine[];
}

/**
 * `out` and `err` are a program's output, `step` is what the engine did, `old` was printed before the page was opened.
 */
export type LogStream = "out" | "err" | "step" | "old";

/** Number, id of the node, stream, milliseconds since 1970, text with colors. Numbers increase by one. */
export type LogLine = [number: number, node: string, stream: LogStream, atMs: number, text: string];

/** An operation of a run, or a period in which a service was in one state. */
export interface PageSpan {
  name: string;
  /** Offset from the start of the run. */
  startMs: number;
  /** Undefined while it lasts. */
  durationMs?: number;
  tone: Tone;
  /** Whether the result came from the cache. */
  cached?: boolean;
}

export interface PageRun {
  /** Id of the record; empty for the run in progress. */
  id: string;
  startedMs: number;
  durationMs?: number;
  outcome: string;
  tone: Tone;
}

/** Explanation of a state, as in `fastloop why`. */
export interface PageWhy {
  summary: string;
  causes: string[];
  parts: { name: string; value: string; digest?: string }[];
}

/** Details of a node, sent on request. */
export interface NodeDetails {
  why?: PageWhy;
  /** Newest first. */
  runs: PageRun[];
  /** The run that `spans` belongs to. */
  run?: PageRun;
  spans: PageSpan[];
}

/** A run, an edit or a start. */
export interface HistoryPoint {
  node: string;
  atMs: number;
  durationMs: number;
  outcome: string;
  tone: Tone;
}

export interface HistoryFigures {
  name: string;
  runs: number;
  failed: number;
  p50Ms?: number;
  p95Ms?: number;
  /** Share of answers that needed no run, 0 to 1. */
  hitRate?: number;
  /** Share of steps that came from the engine's cache, 0 to 1. */
  stepHitRate?: number;
}

export interface PageHistory {
  /** Oldest first. */
  points: HistoryPoint[];
  figures: HistoryFigures[];
  days: (HistoryFigures & { atMs: number })[];
}

/** Command of a button or a key. */
export type PageCommand =
  | { do: "run"; which: "all" | "failed" | string[] }
  | { do: "cancel"; node: string }
  | { do: "restart"; nodes: string[] }
  | { do: "switch"; node: string; to: "local" | "container" }
  | { do: "manual"; on: boolean }
  | { do: "run-marked" };

/** Content of a snapshot file. */
export interface PageSnapshot {
  takenMs: number;
  state: PageState;
  lines: LogLine[];
  history: PageHistory;
  details: Record<string, NodeDetails>;
}
