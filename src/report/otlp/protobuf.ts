/** OTLP's binary encoding, according to opentelemetry-proto. Fields are named as in OTLP's JSON. */
import { codecsOf, type Codec } from "../../llb/index.ts";
import type { Attribute, OtlpSpan } from "./spans.ts";

const traces = `
syntax = "proto3";
package otlp;
message Request { repeated ResourceSpans resourceSpans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopeSpans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message Scope { string name = 1; string version = 2; }
message Span {
  bytes traceId = 1;
  bytes spanId = 2;
  bytes parentSpanId = 4;
  string name = 5;
  int32 kind = 6;
  fixed64 startTimeUnixNano = 7;
  fixed64 endTimeUnixNano = 8;
  repeated KeyValue attributes = 9;
  Status status = 15;
}
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string stringValue = 1; bool boolValue = 2; int64 intValue = 3; } }
`;

export interface TracesRequest {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { scope: { name: string; version: string }; spans: readonly OtlpSpan[] }[];
  }[];
}

export const tracesCodec = <T extends object>(): Codec<T> => codecsOf([traces]).codec<T>("otlp.Request");

/** Encodes an export request; converts ids from hexadecimal to bytes. */
export function encodeTraces({ resourceSpans }: TracesRequest): Buffer {
  const bytes = (hex = ""): Buffer => Buffer.from(hex, "hex");
  const binary = ({ traceId, spanId, parentSpanId, ...rest }: OtlpSpan): object => ({
    ...rest,
    traceId: bytes(traceId),
    spanId: bytes(spanId),
    parentSpanId: bytes(parentSpanId),
  });
  return tracesCodec<object>().encode({
    resourceSpans: resourceSpans.map(({ resource, scopeSpans }) => ({
      resource,
      scopeSpans: scopeSpans.map(({ scope, spans }) => ({ scope, spans: spans.map(binary) })),
    })),
  });
}
