import type { Metadata } from "@grpc/grpc-js";
import { ExecFailure, SolveError } from "./errors.ts";
import { codec } from "./proto/codec.ts";

const statusCodec = codec<{ message: string; details: { typeUrl: string; value: Buffer }[] }>("gateway.Status");

const CANCELLED = 1;

interface CallError extends Error {
  code: number;
  details: string;
  metadata?: Metadata;
}

function isCallError(error: unknown): error is CallError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}

/**
 * A gRPC error as a typed one. BuildKit puts its typed errors as JSON into the details of the status: the exit code of
 * an exec (`gatewayapi.ExitMessage`) and the digest of the vertex (`errdefs.Vertex`).
 */
export function fromCallError(error: unknown): Error {
  if (!isCallError(error)) return error instanceof Error ? error : new Error(String(error));
  const details = statusDetails(error);
  const vertex = details.get("errdefs.Vertex+json")?.["digest"];
  const exit = details.get("gatewayapi.ExitMessage+json");
  const digest = typeof vertex === "string" ? vertex : undefined;
  const exitCode = exit === undefined ? exitCodeInText(error.details) : numberOf(exit["Code"] ?? exit["code"]);
  // 255 with this text is a process that never started (no such command has 127, a bad mount none at all).
  if (exitCode !== undefined && error.code !== CANCELLED) {
    return new ExecFailure({ vertex: digest ?? "", exitCode, message: error.details }, { cause: error });
  }
  return new SolveError(error.details === "" ? error.message : error.details, error.code, digest, { cause: error });
}

/** Type name -> the JSON of the typed error. The innermost vertex comes last and wins. */
function statusDetails(error: CallError): Map<string, Record<string, unknown>> {
  const details = new Map<string, Record<string, unknown>>();
  const [encoded] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!(encoded instanceof Buffer)) return details;
  for (const { typeUrl, value } of statusCodec.decode(encoded).details) {
    const name = typeUrl.split("/").at(-1) ?? typeUrl;
    try {
      details.set(name, JSON.parse(value.toString("utf8")) as Record<string, unknown>);
    } catch {
      // A detail in another encoding than BuildKit's own is of no use here.
    }
  }
  return details;
}

function exitCodeInText(text: string): number | undefined {
  const match = /did not complete successfully: exit code: (\d+)/.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
