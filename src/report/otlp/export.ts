/** Sends the spans of runs to a collector: OTLP over HTTP. A collector that does not answer costs a notice and no run. */
import type { LoopNotice } from "../../run/index.ts";
import { otlpTarget, type OtlpTarget } from "./environment.ts";
import { SpanCollector, type Attribute, type OtlpSpan } from "./spans.ts";

/** What a run waits for its collector at most. */
const answerMs = 2000;

export interface SpanExport {
  note(notice: LoopNotice): void;
  /** Sends what has been collected; resolves when it has arrived, or not in time. Never rejects. */
  flush(): Promise<void>;
}

export interface ExportOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** The name of the trace, e.g. `fastloop run`. */
  command: string;
  version: string;
  onNotice(text: string): void;
}

/** Undefined where the environment names no collector. */
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
      // Once: a watch would say it after each edit.
      if (problem !== undefined && !isTold) onNotice(`spans are not exported to ${new URL(to.url).host}: ${problem}`);
      isTold ||= problem !== undefined;
    },
  };
}

/** What went wrong; undefined when the collector has taken them. */
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
