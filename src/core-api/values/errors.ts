/** An error that the client gets as it is: the message of a GraphQL error, with its extensions. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly extensions: Record<string, unknown>;
  /** The field of the request that is to blame, where that is an earlier one than the field that found out. */
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

/** What the SDK turns into its `ExecError`. */
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

/** For a field, an argument or a type that exists on a Dagger engine only. */
export function notServed(what: string, why?: string): ApiError {
  const reason = why === undefined ? "" : ` (${why})`;
  return new ApiError(`${what} is not served by the embedded engine${reason}; use a Dagger engine`);
}

/** For what only the network has, in a session that does without. */
export function refusedOffline(what: string): ApiError {
  return new ApiError(`${what} needs the network, which --offline does without`);
}
