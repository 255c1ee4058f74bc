import type { Duplex } from "node:stream";
import type { ContainerProcess, ProcessRequest } from "../../buildkit/types.ts";
import type { ApiError } from "../values/errors.ts";
import type { ExposedPort } from "../values/values.ts";

/** A service that was started and became healthy. */
export interface RunningService {
  /** Address at which containers reach it; a loopback address for what listens on the host. */
  readonly address: string;
  /** Ports that it listens on, with numbers that the engine chose filled in. */
  readonly ports: readonly ExposedPort[];
  /** Resolves when the service has ended, to the reason unless it was stopped. Never rejects. */
  readonly ended: Promise<ApiError | undefined>;
  /** Opens a connection from the host to one of its ports. */
  dial(port: number): Promise<Duplex>;
  /** Runs another process in its container. Environment, user and working directory default to the service's. */
  readonly enter?: (process: ProcessRequest) => ContainerProcess;
  /** Connects to the helper that writes edits into the container and restarts its command. Live sessions only. */
  readonly live?: () => Promise<Duplex>;
  /** Stops the service and resolves when nothing of it is left. With `kill`, it gets no time to exit by itself. */
  stop(kill: boolean): Promise<void>;
}
