import type { Metadata } from "@grpc/grpc-js";
import { ExecFailure, SolveError } from "./errors.ts";
import { codec } from "../proto/codec.ts";

interface Status {
  message: string;
  details: { typeUrl: string; value: Buffer }[];
}

const statusCodec = codec<Status>("gateway.Status");

/** The status details that are read here. Others can be as long as the operation that failed. */
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
 * Converts a gRPC error to a typed one. BuildKit puts its typed errors as JSON into the details of the status: the exit
 * code of an exec (`gatewayapi.ExitMessage`) and the digest of the vertex (`errdefs.Vertex`).
 */
export function fromCallError(error: unknown): Error {
  if (!isCallError(error)) return error instanceof Error ? error : new Error(String(error));
  const details = statusDetails(error);
  const vertex = details.get(VERTEX)?.["digest"];
  const exit = details.get(EXIT);
  const digest = typeof vertex === "string" ? vertex : undefined;
  const exitCode = exit === undefined ? exitCodeInText(error.details) : numberOf(exit["Code"] ?? exit["code"]);
  // Exit code 255 with this text means a process that never started. (A missing command has 127, and a bad mount has no
  // code.)
  if (exitCode !== undefined && error.code !== CANCELLED) {
    return new ExecFailure({ vertex: digest ?? "", exitCode, message: error.details }, { cause: error });
  }
  return new SolveError(error.details === "" ? error.message : error.details, error.code, digest, { cause: error });
}

/** Reduces an encoded `google.rpc.Status` to the details that `fromCallError` reads. */
export function shortStatus(encoded: Buffer): Buffer {
  const { details } = statusCodec.decode(encoded);
  const read = details.filter(({ typeUrl }) => [VERTEX, EXIT].includes(nameOf(typeUrl)));
  return Buffer.from(statusCodec.encode({ message: "", details: read }));
}

const nameOf = (typeUrl: string): string => typeUrl.split("/").at(-1) ?? typeUrl;

/** Returns the JSON of the typed errors by type name. The innermost vertex comes last and takes precedence. */
function statusDetails(error: CallError): Map<string, Record<string, unknown>> {
  const details = new Map<string, Record<string, unknown>>();
  const [encoded] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!(encoded instanceof Buffer)) return details;
  for (const { typeUrl, value } of statusCodec.decode(encoded).details) {
    try {
      details.set(nameOf(typeUrl), JSON.parse(value.toString("utf8")) as Record<string, unknown>);
    } catch {
      // Details in an encoding other than BuildKit's JSON are not needed.
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
