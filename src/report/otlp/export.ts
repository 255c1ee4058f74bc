/**
 * Sends the spans of runs to a collector by OTLP over HTTP. When the collector does not answer, it prints a notice;
 * runs are not affected.
 */
import type { LoopNotice } from "../../run/index.ts";
import { otlpTarget, type OtlpTarget } from "./environment.ts";
import { SpanCollector, type Attribute, type OtlpSpan } from "./spans.ts";

/** Longest time that a run waits for its collector. */
const answerMs = 2000;

export interface SpanExport {
  note(notice: LoopNotice): void;
  /** Sends the collected spans. Resolves when they were accepted, or at the timeout. Never rejects. */
  flush(): Promise<void>;
}

export interface ExportOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** Name of the trace, e.g. `fastloop run`. */
  command: string;
  version: string;
  onNotice(text: string): void;
}

/** Returns undefined when the environment names no collector. */
export function spanExport({ env, command, version, onNotice }: ExportOptions): SpanExport | undefined {
  let target: OtlpTarget | undefined;
  try {
    target = otlpTarget(env);
  } catch (error) {
    onNotice(`spans are not exported: ${(error as Error).message}`);
  }
  if (target === undefined) return undefined;
  const to = target;
  const collector = new SpanCollector(command, env["TRACEPARENT"]);
  let isTold = false;
  return {
    note: (notice) => collector.note(notice),
    async flush() {
      const spans = collector.take();
      if (spans.length === 0) return;
      const problem = await send(to, spans, version);
      // Printed only once; a watch would repeat it after each edit.
      if (problem !== undefined && !isTold) onNotice(`spans are not exported to ${new URL(to.url).host}: ${problem}`);
      isTold ||= problem !== undefined;
    },
  };
}

/** Returns what went wrong; undefined when the collector accepted the spans. */
async function send(target: OtlpTarget, spans: readonly OtlpSpan[], version: string): Promise<string | undefined> {
  const attributes = Object.entries(target.resource).map(([key, text]): Attribute => ({
    key,
    value: { stringValue: text },
  }));
  const scopeSpans = [{ scope: { name: "fastloop", version }, spans }];
  const request = { resourceSpans: [{ resource: { attributes }, scopeSpans }] };
  try {
    const isJson = target.encoding === "json";
    const body = isJson ? JSON.stringify(request) : (await import("./protobuf.ts")).encodeTraces(request);
    const response = await fetch(target.url, {
      method: "POST",
      headers: { ...target.headers, "content-type": isJson ? "application/json" : "application/x-protobuf" },
      body: typeof body === "string" ? body : new Uint8Array(body),
      signal: AbortSignal.timeout(answerMs),
      redirect: "error",
    });
    await response.body?.cancel();
    return response.ok ? undefined : `it answered ${response.status}`;
  } catch (error) {
    const { name, message, cause } = error as Error;
    if (name === "TimeoutError") return `no answer within ${answerMs / 1000} s`;
    return cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message;
  }
}
