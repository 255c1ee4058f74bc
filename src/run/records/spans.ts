import type { EngineEvent } from "../../engine/types.ts";
import type { ProjectState } from "../../state/index.ts";

/** One operation of a run; `startMs` counts from the start of the run. */
export interface Span {
  name: string;
  startMs: number;
  durationMs: number;
  cached: boolean;
  error?: string;
}

/** More operations than any pipeline has; further ones are not recorded. */
const mostSpans = 20_000;
const longestText = 500;
const nameOf = (runId: string): string => `${runId}.json`;

/** Collects the operations of one run from the engine's events. */
export class SpanRecorder {
  private readonly spans = new Map<string, Span>();
  private readonly open = new Set<Span>();
  private readonly now: () => number;
  private readonly startedMs: number;

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.startedMs = now();
  }

  note(event: Extract<EngineEvent, { kind: "step-started" | "step-done" }>): void {
    const atMs = Math.round(this.now() - this.startedMs);
    const known = this.spans.get(event.step);
    if (event.kind === "step-started") {
      if (known !== undefined || this.spans.size >= mostSpans) return;
      const span: Span = { name: short(event.name), startMs: atMs, durationMs: 0, cached: false };
      this.spans.set(event.step, span);
      this.open.add(span);
      return;
    }
    if (known !== undefined) this.open.delete(known);
    if (known === undefined && this.spans.size >= mostSpans) return;
    const { durationMs, cached, error } = event;
    this.spans.set(event.step, {
      name: short(event.name),
      // An engine may report a step only when it has ended.
      startMs: known?.startMs ?? Math.max(0, atMs - durationMs),
      durationMs,
      cached,
      ...(error === undefined ? {} : { error: short(error) }),
    });
  }

  /** All operations, in the order in which they began. */
  get all(): Span[] {
    return [...this.spans.values()].sort((a, b) => a.startMs - b.startMs);
  }

  /** Reports whether a span of `all` has not ended yet. */
  isOpen(span: Span): boolean {
    return this.open.has(span);
  }
}

/** The operations of recorded runs, in one file for each run; a plan never reads them. */
export class SpanStore {
  private readonly state: ProjectState;

  constructor(state: ProjectState) {
    this.state = state;
  }

  write(runId: string, spans: readonly Span[]): void {
    this.state.write("spans", nameOf(runId), [Buffer.from(JSON.stringify({ version: 1, spans }))]);
  }

  /** Returns the operations of a run; empty if none were recorded, or the file has no valid seal. */
  read(runId: string): Span[] {
    const content = this.state.read("spans", nameOf(runId), () =>
      this.state.notice(`the operations of ${runId} are damaged, or not of this user and place; they do not count`),
    );
    if (content === undefined) return [];
    try {
      const value = JSON.parse(content.toString("utf8")) as { version?: unknown; spans?: unknown };
      return value.version === 1 && Array.isArray(value.spans) ? (value.spans as Span[]).filter(isSpan) : [];
    } catch {
      return [];
    }
  }

  remove(runIds: readonly string[]): void {
    this.state.remove("spans", runIds.map(nameOf));
  }
}

const short = (text: string): string => (text.length > longestText ? `${text.slice(0, longestText)}…` : text);

function isSpan(value: unknown): value is Span {
  const { name, startMs, durationMs, cached } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof name === "string" &&
    typeof startMs === "number" &&
    typeof durationMs === "number" &&
    typeof cached === "boolean"
  );
}
