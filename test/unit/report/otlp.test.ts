import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { otlpTarget } from "../../../src/report/otlp/environment.ts";
import { spanExport } from "../../../src/report/otlp/export.ts";
import { tracesCodec, type TracesRequest } from "../../../src/report/otlp/protobuf.ts";
import type { LoopNotice } from "../../../src/run/index.ts";

interface Received {
  path: string | undefined;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

const servers: http.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A collector on loopback; a status of 0: it never answers. */
async function collector(status = 200): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ path: request.url, headers: request.headers, body: Buffer.concat(chunks) });
      if (status !== 0) response.writeHead(status).end("{}");
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

const run: LoopNotice[] = [
  { kind: "started", name: "lib", digest: "d1", reasons: [], atMs: 0 },
  { kind: "step", name: "lib", step: "exec npm ci", done: false, cached: false },
  { kind: "step", name: "lib", step: "exec npm ci", done: true, cached: true, durationMs: 12 },
  {
    kind: "finished",
    name: "lib",
    digest: "d1",
    outcome: "failed",
    fresh: true,
    durationMs: 20,
    steps: { total: 1, cached: 1 },
    error: { message: "exit code 1", exitCode: 1 },
    attempts: 1,
    logFile: undefined,
  },
];

async function exported(env: Record<string, string>): Promise<string[]> {
  const notices: string[] = [];
  const spans = spanExport({ env, command: "fastloop run", version: "1", onNotice: (text) => notices.push(text) });
  for (const notice of run) spans?.note(notice);
  await spans?.flush();
  return notices;
}

test("a run is a trace: the command, its functions, their operations", async () => {
  const { url, received } = await collector();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/base/`,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20x, x-team=one",
    OTEL_SERVICE_NAME: "shop",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=ci,service.name=other",
    TRACEPARENT: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  };
  expect(await exported(env)).toEqual([]);
  const [{ path, headers, body } = received[0]!] = received;
  expect(path).toBe("/base/v1/traces");
  expect(headers).toMatchObject({ authorization: "Bearer x", "x-team": "one", "content-type": "application/json" });
  const { resource, scopeSpans } = (JSON.parse(body.toString()) as TracesRequest).resourceSpans[0]!;
  expect(resource.attributes).toContainEqual({ key: "service.name", value: { stringValue: "shop" } });
  expect(resource.attributes).toContainEqual({ key: "deployment.environment", value: { stringValue: "ci" } });
  const [step, fn, root] = scopeSpans[0]!.spans;
  expect(step).toMatchObject({ name: "exec npm ci", parentSpanId: fn!.spanId });
  expect(fn).toMatchObject({ name: "lib", parentSpanId: root!.spanId, status: { code: 2, message: "exit code 1" } });
  expect(root).toMatchObject({ name: "fastloop run", parentSpanId: "b7ad6b7169203331", status: { code: 2 } });
  expect(root?.traceId).toBe("0af7651916cd43dd8448eb211c80319c");
  expect(BigInt(step!.endTimeUnixNano) - BigInt(step!.startTimeUnixNano)).toBe(12_000_000n);
});

test("the binary form, which is the default, says the same", async () => {
  const { url, received } = await collector();
  expect(await exported({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/traces` })).toEqual([]);
  const [{ path, headers, body } = received[0]!] = received;
  expect(path).toBe("/traces");
  expect(headers["content-type"]).toBe("application/x-protobuf");
  const [step, fn, root] = tracesCodec<TracesRequest>().decode(body).resourceSpans[0]!.scopeSpans[0]!
    .spans as unknown as {
    name: string;
    spanId: Buffer;
    parentSpanId: Buffer;
    startTimeUnixNano: string;
  }[];
  expect([step!.name, fn!.name, root!.name]).toEqual(["exec npm ci", "lib", "fastloop run"]);
  expect(fn!.parentSpanId).toEqual(root!.spanId);
  expect(Math.abs(Number(BigInt(fn!.startTimeUnixNano) / 1_000_000n) - Date.now())).toBeLessThan(60_000);
});

test("a collector that refuses, is not there, or never answers costs a notice", async () => {
  const refusing = await collector(503);
  expect(await exported({ OTEL_EXPORTER_OTLP_ENDPOINT: refusing.url })).toEqual([
    expect.stringMatching(/^spans are not exported to 127\.0\.0\.1:\d+: it answered 503$/),
  ]);
  const [server] = servers.splice(0);
  await new Promise((resolve) => server!.close(resolve));
  expect(await exported({ OTEL_EXPORTER_OTLP_ENDPOINT: refusing.url })).toEqual([
    expect.stringContaining("ECONNREFUSED"),
  ]);
  const silent = await collector(0);
  expect(await exported({ OTEL_EXPORTER_OTLP_ENDPOINT: silent.url })).toEqual([
    expect.stringContaining("no answer within 2 s"),
  ]);
  expect(await exported({ OTEL_EXPORTER_OTLP_ENDPOINT: "nonsense" })).toEqual([
    "spans are not exported: nonsense is not an HTTP address",
  ]);
});

test("nothing is sent where no collector is named, or traces are switched off", () => {
  expect(otlpTarget({})).toBeUndefined();
  expect(otlpTarget({ OTEL_SERVICE_NAME: "shop" })).toBeUndefined();
  const OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:4318";
  expect(otlpTarget({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: "true" })).toBeUndefined();
  expect(otlpTarget({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: "none" })).toBeUndefined();
  expect(() => otlpTarget({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" })).toThrow(
    /not supported/,
  );
});
