import type { Metadata } from "@grpc/grpc-js";
import { ExecFailure, SolveError } from "./errors.ts";
import { codec } from "../proto/codec.ts";

interface Status {
  message: string;
  details: { typeUrl: string; value: Buffer }[];
}

const statusCodec = codec<Status>("gateway.Status");

/** The details that are read here; others are as long as the operation that failed. */
const VERTEX = "errdefs.Vertex+json";
const EXIT = "gatewayapi.ExitMessage+json";

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
  const vertex = details.get(VERTEX)?.["digest"];
  const exit = details.get(EXIT);
  const digest = typeof vertex === "string" ? vertex : undefined;
  const exitCode = exit === undefined ? exitCodeInText(error.details) : numberOf(exit["Code"] ?? exit["code"]);
  // 255 with this text is a process that never started (no such command has 127, a bad mount none at all).
  if (exitCode !== undefined && error.code !== CANCELLED) {
    return new ExecFailure({ vertex: digest ?? "", exitCode, message: error.details }, { cause: error });
  }
  return new SolveError(error.details === "" ? error.message : error.details, error.code, digest, { cause: error });
}

/** A `google.rpc.Status` with what `fromCallError` reads of it only. */
export function shortStatus(encoded: Buffer): Buffer {
  const { details } = statusCodec.decode(encoded);
  const read = details.filter(({ typeUrl }) => [VERTEX, EXIT].includes(nameOf(typeUrl)));
  return Buffer.from(statusCodec.encode({ message: "", details: read }));
}

const nameOf = (typeUrl: string): string => typeUrl.split("/").at(-1) ?? typeUrl;

/** Type name -> the JSON of the typed error. The innermost vertex comes last and wins. */
function statusDetails(error: CallError): Map<string, Record<string, unknown>> {
  const details = new Map<string, Record<string, unknown>>();
  const [encoded] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!(encoded instanceof Buffer)) return details;
  for (const { typeUrl, value } of statusCodec.decode(encoded).details) {
    try {
      details.set(nameOf(typeUrl), JSON.parse(value.toString("utf8")) as Record<string, unknown>);
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
