/** Reads the export target from OpenTelemetry's variables. Only the environment can turn it on, not a repository. */
import { UserError } from "../../errors/index.ts";

export interface OtlpTarget {
  url: string;
  headers: Record<string, string>;
  encoding: "json" | "protobuf";
  /** Attributes of the resource, including `service.name`. */
  resource: Record<string, string>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns undefined when no endpoint is named or traces are disabled. Throws when a variable is invalid. */
export function otlpTarget(env: Environment): OtlpTarget | undefined {
  const value = (name: string): string | undefined => env[name]?.trim() || undefined;
  const ofTraces = (name: string): string | undefined =>
    value(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? value(`OTEL_EXPORTER_OTLP_${name}`);
  if (value("OTEL_SDK_DISABLED")?.toLowerCase() === "true" || value("OTEL_TRACES_EXPORTER") === "none")
    return undefined;
  const endpoint = ofTraces("ENDPOINT");
  if (endpoint === undefined) return undefined;
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UserError("usage", `${endpoint} is not an HTTP address`, { place: "OTEL_EXPORTER_OTLP_ENDPOINT" });
  if (value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") === undefined)
    url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/traces`;
  const protocol = ofTraces("PROTOCOL") ?? "http/protobuf";
  if (protocol !== "http/json" && protocol !== "http/protobuf")
    throw new UserError("usage", `${protocol} is not supported`, {
      place: "OTEL_EXPORTER_OTLP_PROTOCOL",
      hint: "http/protobuf or http/json",
    });
  return {
    url: url.href,
    headers: pairs(ofTraces("HEADERS")),
    encoding: protocol === "http/json" ? "json" : "protobuf",
    resource: {
      ...pairs(value("OTEL_RESOURCE_ATTRIBUTES")),
      "service.name":
        value("OTEL_SERVICE_NAME") ?? pairs(value("OTEL_RESOURCE_ATTRIBUTES"))["service.name"] ?? "fastloop",
    },
  };
}

/** Parses `name=value,name=value`, percent-encoded as in W3C baggage. */
function pairs(text = ""): Record<string, string> {
  const entries = text.split(",").flatMap((pair): [string, string][] => {
    const at = pair.indexOf("=");
    return at < 1 ? [] : [[decoded(pair.slice(0, at).trim()), decoded(pair.slice(at + 1).trim())]];
  });
  return Object.fromEntries(entries);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
