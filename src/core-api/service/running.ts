import type { Duplex } from "node:stream";
import type { ContainerProcess, ProcessRequest } from "../../buildkit/types.ts";
import type { ApiError } from "../values/errors.ts";
import type { ExposedPort } from "../values/values.ts";

/** A service that was started and found healthy. */
export interface RunningService {
  /** Where containers reach it; `localhost` for what listens on the host. */
  readonly address: string;
  /** What it listens on, with the ports that were chosen. */
  readonly ports: readonly ExposedPort[];
  /** Resolves when it has ended, with the reason if it was not told to. Never rejects. */
  readonly ended: Promise<ApiError | undefined>;
  /** A connection from the host to one of its ports. */
  dial(port: number): Promise<Duplex>;
  /** Runs another process in its container, with its environment, user and working directory unless said otherwise. */
  readonly enter?: (process: ProcessRequest) => ContainerProcess;
  /** The helper that writes edits into its container and starts its command again; only in a live session. */
  readonly live?: () => Promise<Duplex>;
  /** Resolves when nothing of it is left. `kill`: without time to end by itself. */
  stop(kill: boolean): Promise<void>;
}
