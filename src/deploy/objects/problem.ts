import { ExitCode } from "../../errors/index.ts";

/** Exit code for each way in which a deploy can fail. */
const exitCodes = {
  /** The request is not carried out: wrong cluster, no rights, bad manifests. Nothing was changed. */
  refused: ExitCode.usage,
  /** The API server can't be reached or can't be trusted. */
  unreachable: ExitCode.engineUnavailable,
  /** What was applied, or tried, did not succeed. */
  failed: ExitCode.failed,
  /** Something was written, and the server that answers now is not the one that it was written to. */
  leftHalfway: ExitCode.failed,
  /** Objects were not ready within the timeout. */
  timedOut: ExitCode.timedOut,
} as const;

/** Error of a deploy for the user: what happened, where, and what to do next. */
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

/** Creates the error of a request that is refused before anything was changed. */
export const refuse = (message: string): DeployError => new DeployError("refused", message);
