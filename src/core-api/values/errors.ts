/** An error that the client receives unchanged, as a GraphQL error's message and extensions. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly extensions: Record<string, unknown>;
  /** Name of the field to blame, if it is not the one that found the error but one before it. */
  blamed?: string;

  constructor(message: string, extensions: Record<string, unknown> = {}, cause?: unknown) {
    super(message, { cause });
    this.extensions = extensions;
  }
}

export interface ExecFailure {
  cmd: readonly string[];
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Returns the error that the SDK turns into its `ExecError`. */
export function execError(failure: ExecFailure, cause?: unknown): ApiError {
  return new ApiError(
    `exit code: ${failure.exitCode}`,
    {
      _type: "EXEC_ERROR",
      cmd: failure.cmd,
      exitCode: failure.exitCode,
      stdout: failure.stdout.trim(),
      stderr: failure.stderr.trim(),
    },
    cause,
  );
}

/** Returns the error for a field, an argument or a type that only a Dagger engine serves. */
export function notServed(what: string, why?: string): ApiError {
  const reason = why === undefined ? "" : ` (${why})`;
  return new ApiError(`${what} is not served by the embedded engine${reason}; use a Dagger engine`);
}

/** Returns the error for an operation that needs the network, in an offline session. */
export function refusedOffline(what: string): ApiError {
  return new ApiError(`${what} needs the network, which --offline does without`);
}
