import type { Definition } from "../llb/types.ts";

/** A mount of a gateway container. The mount at `/` is the root file system. */
export type ContainerMount =
  | { kind: "bind"; destination: string; definition: Definition; selector?: string; readonly?: boolean }
  | {
      kind: "cache";
      destination: string;
      id: string;
      sharing?: "shared" | "private" | "locked";
      definition?: Definition;
      selector?: string;
    }
  | { kind: "tmpfs"; destination: string; sizeBytes?: number }
  | ({ kind: "secret" | "ssh"; destination: string } & SessionFile);

/** A file or socket that the client's session provides while the container runs. */
interface SessionFile {
  id: string;
  uid?: number;
  gid?: number;
  /** Permission bits. */
  mode?: number;
  optional?: boolean;
}

export interface ContainerRequest {
  mounts: readonly ContainerMount[];
  /** For example `linux/arm64`; the daemon's own platform when absent. */
  platform?: string;
  /** If set, the container gets a new network namespace, which is removed with it. */
  hostname?: string;
  /** Whether processes may have root capabilities. Requires the daemon's `security.insecure` entitlement. */
  insecure?: boolean;
}

export interface ProcessRequest {
  args: readonly string[];
  /** `NAME=value` pairs. */
  env?: readonly string[];
  cwd?: string;
  /** In the image's notation: `name`, `uid` or `uid:gid`; root when absent. */
  user?: string;
  /** Whether the process has root capabilities. Requires the daemon's `security.insecure` entitlement. */
  insecure?: boolean;
  secretEnv?: readonly { id: string; name: string; optional?: boolean }[];
  /** Gives the process a terminal, which accepts input. All its output is then `stdout`. */
  tty?: boolean;
  onOutput?(stream: "stdout" | "stderr", data: Uint8Array): void;
}

/** How a process ended: by itself with an exit code, or because BuildKit could not run it or lost it. */
export interface ProcessEnd {
  /** -1 when unknown. */
  exitCode: number;
  /** Why the process has no exit code of its own; `exitCode` is -1 then. */
  failure?: string;
}

export interface ContainerProcess {
  /** Resolves when the process runs, or has ended without running. */
  readonly started: Promise<void>;
  /** Resolves after the last output was reported. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Sends a signal by name: `SIGTERM`, `SIGKILL`, … */
  signal(name: string): void;
  /** Sends input to a process with a terminal. */
  write(data: Uint8Array): void;
  /** Sets the size of the process's terminal. */
  resize(rows: number, columns: number): void;
  /** Pauses and resumes `onOutput`. While it is paused, a process that keeps printing blocks after a while. */
  hold(isHeld: boolean): void;
}

/** A container that runs until it is released. Its first process is the init: when it ends, all others end too. */
export interface GatewayContainer {
  start(process: ProcessRequest): ContainerProcess;
  /** Kills the remaining processes and removes the container. */
  release(): Promise<void>;
}
