import type { ExecFailureInfo } from "../types.ts";

/** Thrown when an exec exits with a status that is not among its valid ones. */
export class ExecFailure extends Error implements ExecFailureInfo {
  override readonly name = "ExecFailure";
  /** Digest of the exec's op; empty when BuildKit did not report it. */
  readonly vertex: string;
  readonly exitCode: number;

  constructor(info: ExecFailureInfo, options?: ErrorOptions) {
    super(info.message, options);
    this.vertex = info.vertex;
    this.exitCode = info.exitCode;
  }
}

/** Thrown when BuildKit refused or failed a solve for any other reason: a missing image or file, a lost connection. */
export class SolveError extends Error {
  override readonly name = "SolveError";
  /** Digest of the failed op, if BuildKit reported one. */
  readonly vertex: string | undefined;
  /** gRPC status code, for example 14 when the daemon cannot be reached. */
  readonly code: number;

  constructor(message: string, code: number, vertex?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.vertex = vertex;
  }
}
