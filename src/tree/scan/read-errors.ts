import { UserError } from "../../errors/index.ts";

export function tooManyFiles(cause: NodeJS.ErrnoException, place: string): UserError {
  const hint = "raise the limit with `ulimit -n`, or end what holds so many";
  return new UserError("usage", `this folder cannot be read now (${cause.code})`, { place, cause, hint });
}

/**
 * Reports whether a limit of the system was reached. This says nothing about the folder, which must not count as empty.
 */
export function isExhausted(error: unknown): error is NodeJS.ErrnoException {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "EMFILE" || code === "ENFILE" || code === "ENOMEM";
}

export function hasVanished(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
