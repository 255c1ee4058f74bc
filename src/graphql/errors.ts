/** Errors for an engine's answers. They are results rather than bugs: the caller decides what they mean. */

/**
 * Removes the ` [traceparent:…]` suffix that a Dagger engine adds to many messages. It means nothing without the
 * engine's traces.
 */
export function withoutTrace(message: string): string {
  return message.replace(/ \[traceparent:[0-9a-f-]+\]$/, "");
}

export interface GraphqlError {
  message: string;
  path?: readonly (string | number)[];
  extensions?: Record<string, unknown>;
}

/** A GraphQL error other than a failed exec. */
export class QueryError extends Error {
  override readonly name: string = "QueryError";
  readonly extensions: Record<string, unknown>;
  readonly path: readonly (string | number)[];

  constructor(error: GraphqlError) {
    super(withoutTrace(error.message));
    this.extensions = error.extensions ?? {};
    this.path = error.path ?? [];
  }
}

/** A command in a container ended differently than expected. */
export class ExecFailure extends QueryError {
  override readonly name = "ExecFailure";
  readonly command: readonly string[];
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;

  constructor(error: GraphqlError) {
    super(error);
    const { cmd, exitCode, stdout, stderr } = this.extensions;
    this.command = Array.isArray(cmd) ? cmd.map(String) : [];
    this.exitCode = typeof exitCode === "number" ? exitCode : 1;
    this.stdout = typeof stdout === "string" ? stdout : "";
    this.stderr = typeof stderr === "string" ? stderr : "";
  }
}

/** Returns the error class for one entry of a GraphQL response's `errors`. */
export function toQueryError(error: GraphqlError): QueryError {
  return error.extensions?.["_type"] === "EXEC_ERROR" ? new ExecFailure(error) : new QueryError(error);
}
