/**
 * Errors that a user can act on. A `UserError` is a value with a place, a cause and a hint; anything else that is
 * thrown is a bug and prints as one. Exit codes are decided here and nowhere else.
 */

import { outputText, printableLines } from "../text/index.ts";

/** Exit codes of the process. Scripts and CI rely on these numbers. */
export const ExitCode = {
  passed: 0,
  failed: 1,
  usage: 2,
  engineUnavailable: 3,
  timedOut: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Kinds of user errors; each maps to one exit code. */
export type ErrorCode =
  | "usage"
  | "config"
  | "module"
  | "engine-unavailable"
  | "engine-unsupported"
  | "function-failed"
  | "timed-out"
  | "interrupted"
  | "locked"
  /** A repository asks for something that the user has not allowed. */
  | "untrusted";

const exitCodes: Record<ErrorCode, ExitCode> = {
  usage: ExitCode.usage,
  config: ExitCode.usage,
  module: ExitCode.usage,
  "engine-unavailable": ExitCode.engineUnavailable,
  "engine-unsupported": ExitCode.failed,
  "function-failed": ExitCode.failed,
  "timed-out": ExitCode.timedOut,
  interrupted: ExitCode.interrupted,
  locked: ExitCode.usage,
  untrusted: ExitCode.usage,
};

export interface UserErrorOptions {
  /** Location: `file:line:col`, a path, or an argument such as `--platform`. */
  place?: string;
  /** What to do next, in one sentence. */
  hint?: string;
  /** More lines shown below the message (the end of a log, a code frame). */
  detail?: string;
  cause?: unknown;
  /** Overrides the exit code of the kind, e.g. with that of a failed exec. */
  exitCode?: number;
}

/** An error with what, where and what to do next; printed without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly code: ErrorCode;
  readonly place: string | undefined;
  readonly hint: string | undefined;
  readonly detail: string | undefined;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, options: UserErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.place = options.place;
    this.hint = options.hint;
    this.detail = options.detail;
    this.exitCode = options.exitCode ?? exitCodes[code];
  }

  /**
   * Returns `place: message`, the detail and the hint as the terminal shows them; no character in them moves a cursor.
   */
  format(): string {
    const head = this.place === undefined ? this.message : `${this.place}: ${this.message}`;
    const detail = this.detail === undefined ? undefined : outputText(this.detail);
    return [printableLines(head), detail, this.hint === undefined ? undefined : printableLines(`hint: ${this.hint}`)]
      .filter((line) => line !== undefined && line !== "")
      .join("\n");
  }

  toJSON(): Record<string, unknown> {
    return { code: this.code, message: this.message, place: this.place, hint: this.hint, detail: this.detail };
  }
}
