import { UserError } from "../errors/index.ts";
import { execMessage, execOutput } from "../module/index.ts";
import { ExecFailure, QueryError } from "../graphql/index.ts";
import { unavailableImage } from "./unavailable-image.ts";

/**
 * Converts an engine's error to a user error: a failed command with its output, an image that cannot be had, or what
 * the engine refused. Returns other errors, which are bugs, as they are.
 */
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
