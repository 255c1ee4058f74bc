import { ExitCode } from "../../errors/index.ts";

/** Why a deploy ended as it did, and the exit code that says so. */
const exitCodes = {
  /** Something was asked for that is not done: wrong cluster, no rights, bad manifests. Nothing was changed. */
  refused: ExitCode.usage,
  /** The API server can't be reached or can't be trusted. */
  unreachable: ExitCode.engineUnavailable,
  /** What was applied, or tried, did not come to a good end. */
  failed: ExitCode.failed,
  /** Something was written, and what answers now is not what was written to. */
  leftHalfway: ExitCode.failed,
  /** It was still not ready when the time was up. */
  timedOut: ExitCode.timedOut,
} as const;

/** An error of a deploy in words for its user: what, where, what to do next. */
export class DeployError extends Error {
  override readonly name = "DeployError";
  readonly kind: keyof typeof exitCodes;

  constructor(kind: keyof typeof exitCodes, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }

  get exitCode(): number {
    return exitCodes[this.kind];
  }
}

export const refuse = (message: string): DeployError => new DeployError("refused", message);
