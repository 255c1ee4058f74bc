/**
 * Errors of the operating system that are no bug of fastloop: a full disk, a folder without write access, too many open
 * files.
 */
import { ExitCode, UserError } from "../errors/index.ts";

const reasons: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left",
  EDQUOT: "the disk quota is used up",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  ENOTDIR: "a part of the path is not a directory",
  EISDIR: "it is a folder",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "its links form a loop",
};

/** Returns a system error as a `UserError`, which prints no stack; undefined for any other error. */
export function asSystemError(error: unknown): UserError | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  const { code, syscall } = error;
  // For a folder that can't be created on a read-only file system, Node reports ENOENT.
  const reason =
    code === "ENOENT" && syscall === "mkdir"
      ? "it can't be made"
      : code === "ENOSPC" && syscall === "watch"
        ? "no more files can be watched"
        : reasons[String(code)];
  if (reason === undefined) return undefined;
  const place = "path" in error && typeof error.path === "string" ? error.path : undefined;
  const isOfProject = place?.split("/").includes(".fastloop") === true;
  return new UserError("usage", `${reason} (${String(syscall)}: ${String(code)})`, {
    place,
    hint: isOfProject
      ? "run and watch keep their records there; `fastloop plan` and `fastloop call` do without"
      : undefined,
    cause: error,
    exitCode: ExitCode.failed,
  });
}
