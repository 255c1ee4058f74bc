/** What the server of the page and the page say to each other. Texts in it are anybody's: the page never takes one for HTML. */

/** How a state looks; its word is always beside it. */
export type Tone = "good" | "bad" | "busy" | "waiting" | "idle";

/** `local`, `container`: where a service is to be. */
export type NodeAction = "run" | "cancel" | "restart" | "local" | "container";

/** A function or a service. */
export interface PageNode {
  /** What actions and logs name it by. */
  id: string;
  kind: "function" | "service";
  /** As it is shown: without control characters. */
  name: string;
  needs: string[];
  state: string;
  tone: Tone;
  /** On one line: the step that it is in, what it waits for, why it ran, where it listens. */
  detail?: string;
  /** Why it failed, several lines. */
  failure?: string;
  /** Milliseconds since 1970: since when it is in this state, where that goes on. */
  sinceMs?: number;
  /** When its last run, or the start of the service, ended. */
  endedMs?: number;
  tookMs?: number;
  digest?: string;
  tests?: string;
  steps?: { total: number; cached: number };
  /** Of this machine, on loopback. */
  ports?: number[];
  can: NodeAction[];
}

/** What is true of all of them together. */
export interface PageTop {
  project: string;
  /** `fastloop watch`, `fastloop up`. */
  command: string;
  version: string;
  /** On one line: what is waited for, what can't be read. */
  status: string;
  tone: Tone;
  engine?: string;
  /** Edits only mark what they affect; absent where there is no such mode. */
  manual?: boolean;
}

export interface PageNotice {
  atMs: number;
  text: string;
}

/** All that is shown without asking for more. */
export interface PageState {
  top: PageTop;
  /** Needs come first. */
  nodes: PageNode[];
  /** The newest last. */
  notices: PageNotice[];
  /** Number of the newest line of the logs. */
  logEnd: number;
}

/** What has changed since the state or the change before. Nodes and lines come whole. */
export interface PageChange {
  top?: PageTop;
  nodes?: PageNode[];
  /** All ids in their order, where some came, went or moved. */
  order?: string[];
  notices?: PageNotice[];
  lines?: LogLine[];
}

/** `out` and `err` are what a program printed, `step` is what the engine did, `old` what was printed before the page began. */
export type LogStream = "out" | "err" | "step" | "old";

/** Number, id of the node, stream, milliseconds since 1970, text with colours. Numbers go up by one. */
export type LogLine = [number: number, node: string, stream: LogStream, atMs: number, text: string];

/** An operation of a run, or a time in which a service was in one state. */
export interface PageSpan {
  name: string;
  /** After the begin of the run. */
  startMs: number;
  /** Undefined while it goes on. */
  durationMs?: number;
  tone: Tone;
  /** It took nothing: its result was there. */
  cached?: boolean;
}

export interface PageRun {
  /** Of the record; empty for the one that goes on. */
  id: string;
  startedMs: number;
  durationMs?: number;
  outcome: string;
  tone: Tone;
}

/** Named values in sections, as `fastloop why` says them. */
export interface PageWhy {
  summary: string;
  causes: string[];
  parts: { name: string; value: string; digest?: string }[];
}

/** What is asked for when somebody looks at one node. */
export interface NodeDetails {
  why?: PageWhy;
  /** The newest first. */
  runs: PageRun[];
  /** Which of them `spans` is of. */
  run?: PageRun;
  spans: PageSpan[];
}

/** One run, edit or start. */
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
  /** Answers that needed no run, of all; 0 to 1. */
  hitRate?: number;
  /** Steps out of the engine's cache, of all. */
  stepHitRate?: number;
}

export interface PageHistory {
  /** Oldest first. */
  points: HistoryPoint[];
  figures: HistoryFigures[];
  days: (HistoryFigures & { atMs: number })[];
}

/** What a button or a key asks for. */
export type PageCommand =
  | { do: "run"; which: "all" | "failed" | string[] }
  | { do: "cancel"; node: string }
  | { do: "restart"; nodes: string[] }
  | { do: "switch"; node: string; to: "local" | "container" }
  | { do: "manual"; on: boolean }
  | { do: "run-marked" };

/** What a snapshot file holds. */
export interface PageSnapshot {
  takenMs: number;
  state: PageState;
  lines: LogLine[];
  history: PageHistory;
  details: Record<string, NodeDetails>;
}
