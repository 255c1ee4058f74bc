/** Returns the code of a system error; empty for any other error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && "syscall" in error ? String(error.code) : "";
}
