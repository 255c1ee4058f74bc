import type { Definition } from "../llb/types.ts";

/** What is mounted into a gateway container. The root file system is the mount at `/`. */
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

/** A file or socket that comes from the client's session while the container runs. */
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
  /** `linux/arm64`; the daemon's own when absent. */
  platform?: string;
  /** With one, the container's network namespace is new and goes with it. */
  hostname?: string;
  /** A process in it may have root capabilities: needs the daemon's `security.insecure` entitlement. */
  insecure?: boolean;
}

export interface ProcessRequest {
  args: readonly string[];
  /** `NAME=value`. */
  env?: readonly string[];
  cwd?: string;
  /** The image's notation: `name`, `uid`, `uid:gid`; root when absent. */
  user?: string;
  /** Root capabilities: needs the daemon's `security.insecure` entitlement. */
  insecure?: boolean;
  secretEnv?: readonly { id: string; name: string; optional?: boolean }[];
  /** It has a terminal, which takes input; all that it prints is `stdout`. */
  tty?: boolean;
  onOutput?(stream: "stdout" | "stderr", data: Uint8Array): void;
}

/** How a process ended: by itself with a code, or because BuildKit could not run it or lost it. */
export interface ProcessEnd {
  /** -1 where it is not known. */
  exitCode: number;
  /** Why there is no exit code of the process's own; `exitCode` is -1 then. */
  failure?: string;
}

export interface ContainerProcess {
  /** Resolves when it runs, or has ended without ever running. */
  readonly started: Promise<void>;
  /** Resolves after the last output was told. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** `SIGTERM`, `SIGKILL`, … */
  signal(name: string): void;
  /** Input for a process with a terminal. */
  write(data: Uint8Array): void;
  /** The size of its terminal. */
  resize(rows: number, columns: number): void;
  /** Stops and continues the telling of output; a process that goes on to print waits after a while. */
  hold(isHeld: boolean): void;
}

/** A container that runs until it is released. The first process is its init: with it all others end. */
export interface GatewayContainer {
  start(process: ProcessRequest): ContainerProcess;
  /** Kills what still runs and removes the container. */
  release(): Promise<void>;
}
