import { UserError } from "../errors/index.ts";
import { execMessage, execOutput } from "../module/index.ts";
import { ExecFailure, QueryError } from "../graphql/index.ts";
import { unavailableImage } from "./unavailable-image.ts";

/** An engine's answer that is an error is the user's, not ours: a failed command with its output, or what it refused. */
export function failureOf(error: unknown): unknown {
  if (error instanceof ExecFailure) {
    return new UserError("function-failed", execMessage(error.command, error.message), {
      detail: execOutput(error),
      exitCode: error.exitCode > 0 && error.exitCode < 256 ? error.exitCode : undefined,
      cause: error,
    });
  }
  const image = error instanceof Error ? unavailableImage(error) : undefined;
  if (image !== undefined) return image;
  return error instanceof QueryError ? new UserError("function-failed", error.message, { cause: error }) : error;
}
