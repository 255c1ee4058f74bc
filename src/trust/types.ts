/** What a repository asks of the machine that it is cloned to. */
export type AskKind =
  /** `cmd://`: a command of the user's shell. */
  | "command"
  /** `env://`: a variable of the user's environment. */
  | "variable"
  /** A file or folder outside of the repository, by its real path. */
  | "read"
  /** What a call exports, outside of the repository or into its `.git`. */
  | "write"
  /** A socket of the host. */
  | "socket"
  /** A port that something on the host's network listens on. */
  | "service"
  /** Ports of the host that are opened. */
  | "ports"
  /** An image that is pushed, with the user's credentials. */
  | "publish"
  /** An image that is given to the user's container runtime. */
  | "runtime"
  /** A BuildKit daemon that everything runs on. */
  | "engine"
  /** A shared cache that is read from, or written to, with the user's credentials. */
  | "cache"
  /** A Kubernetes cluster, by its context, that is deployed to with the user's credentials. */
  | "cluster"
  /** A field of the core API that acts with the rights of the session's client. */
  | "client"
  /** `insecureRootCapabilities`: a container with the rights of root on the machine. */
  | "root-capabilities"
  /** A program that fastloop itself runs, by its content. */
  | "extension"
  /** A module of another repository that is fetched, by its commit. */
  | "module"
  /** Function bodies in a process of this machine where no boundary can be had. */
  | "host-process";

/** One thing that is asked for. `kind`, `what` and `by` are what is trusted; the place may move. */
export interface Ask {
  kind: AskKind;
  /** Exactly what, e.g. a command, a variable's name, an absolute path. */
  what: string;
  /** Who gets it: the function and its argument, or a key of fastloop.yaml. */
  by: string;
  /** `file:line:column`, for people. */
  place?: string;
}
