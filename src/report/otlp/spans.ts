/** Builds OpenTelemetry spans from a run's events: the command, its functions and their operations. */
import { randomBytes } from "node:crypto";
import type { FinishedNotice, LoopNotice } from "../../run/index.ts";

export interface Attribute {
  key: string;
  value: { stringValue: string } | { boolValue: boolean } | { intValue: string };
}

/** Span as in OTLP's JSON: ids in hexadecimal, times in nanoseconds as decimal strings. */
export interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: 1;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Attribute[];
  status: { code: 0 | 1 | 2; message?: string };
}

interface Open {
  spanId: string;
  startedMs: number;
  steps: Map<string, number>;
}

/** More spans than any pipeline has; a collector accepts some megabytes at a time. */
const mostSpans = 20_000;

/** Collects the spans of one trace at a time; `take` ends the trace. */
export class SpanCollector {
  private readonly command: string;
  private readonly parent: { traceId: string; spanId: string } | undefined;
  private readonly now: () => number;
  private trace: { traceId: string; spanId: string; startedMs: number } | undefined;
  private readonly open = new Map<string, Open>();
  private spans: OtlpSpan[] = [];
  private failed = false;

  /** `traceparent` is the W3C header of the process that started the command. */
  constructor(command: string, traceparent: string | undefined, now: () => number = Date.now) {
    const [, traceId, spanId] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(traceparent ?? "") ?? [];
    this.command = command;
    this.parent = traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
    this.now = now;
  }

  note(notice: LoopNotice): void {
    switch (notice.kind) {
      case "started":
        this.begin();
        this.open.set(notice.name, { spanId: id(8), startedMs: this.now(), steps: new Map() });
        break;
      case "step": {
        const of = this.open.get(notice.name);
        if (of === undefined) break;
        if (notice.done) this.step(of, notice.step, notice.durationMs ?? 0, notice.cached);
        else of.steps.set(notice.step, this.now());
        break;
      }
      case "finished":
        this.end(notice);
        break;
      default:
    }
  }

  /** Returns all spans of the trace, with the command's own last; empty when nothing ran. */
  take(): OtlpSpan[] {
    const { trace, spans } = this;
    if (trace === undefined) return [];
    const code = this.failed ? 2 : 1;
    const root = this.span(this.command, trace.spanId, this.parent?.spanId, trace.startedMs, this.now(), [], { code });
    this.trace = undefined;
    this.spans = [];
    this.failed = false;
    this.open.clear();
    return [...spans, root];
  }

  private begin(): void {
    this.trace ??= { traceId: this.parent?.traceId ?? id(16), spanId: id(8), startedMs: this.now() };
  }

  private step(of: Open, name: string, durationMs: number, cached: boolean): void {
    if (this.spans.length >= mostSpans) return;
    const startedMs = of.steps.get(name) ?? this.now() - durationMs;
    const attributes = [{ key: "fastloop.cached", value: { boolValue: cached } }];
    // The engine's duration is more exact than the time at which the event arrived.
    this.spans.push(this.span(name, id(8), of.spanId, startedMs, startedMs + durationMs, attributes, { code: 0 }));
  }

  private end({ name, digest, outcome, error, steps }: FinishedNotice): void {
    const of = this.open.get(name);
    if (of === undefined || this.trace === undefined) return;
    this.open.delete(name);
    const isFailure = outcome === "failed" || outcome === "timed-out";
    this.failed ||= isFailure;
    const attributes: Attribute[] = [
      { key: "fastloop.digest", value: { stringValue: digest } },
      { key: "fastloop.outcome", value: { stringValue: outcome } },
      { key: "fastloop.steps", value: { intValue: String(steps.total) } },
      { key: "fastloop.steps.cached", value: { intValue: String(steps.cached) } },
    ];
    const status = isFailure ? ({ code: 2, message: error?.message ?? outcome } as const) : ({ code: 1 } as const);
    this.spans.push(this.span(name, of.spanId, this.trace.spanId, of.startedMs, this.now(), attributes, status));
  }

  private span(
    name: string,
    spanId: string,
    parentSpanId: string | undefined,
    startedMs: number,
    endedMs: number,
    attributes: Attribute[],
    status: OtlpSpan["status"],
  ): OtlpSpan {
    return {
      traceId: this.trace?.traceId ?? "",
      spanId,
      ...(parentSpanId === undefined ? {} : { parentSpanId }),
      name,
      kind: 1,
      startTimeUnixNano: nanoseconds(startedMs),
      endTimeUnixNano: nanoseconds(Math.max(startedMs, endedMs)),
      attributes,
      status,
    };
  }
}

const id = (bytes: number): string => randomBytes(bytes).toString("hex");
const nanoseconds = (ms: number): string => `${Math.round(ms)}000000`;
