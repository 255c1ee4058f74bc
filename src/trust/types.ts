/** What a repository can ask of the host that it is cloned to. */
export type AskKind =
  /** `cmd://`: a command of the user's shell. */
  | "command"
  /** `env://`: a variable of the user's environment. */
  | "variable"
  /** A file or folder outside of the repository, by its real path. */
  | "read"
  /** An export of a call to a place outside of the repository, or into its `.git`. */
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
  /** A BuildKit daemon that runs everything. */
  | "engine"
  /** A shared cache that is read from, or written to, with the user's credentials. */
  | "cache"
  /** A Kubernetes cluster, by its context, that is deployed to with the user's credentials. */
  | "cluster"
  /** A field of the core API that acts with the rights of the session's client. */
  | "client"
  /** `insecureRootCapabilities`: a container with root's rights on the host. */
  | "root-capabilities"
  /** A program that fastloop itself runs, by its content. */
  | "extension"
  /** A module of another repository that is fetched, by its commit. */
  | "module"
  /** Function bodies in a host process where no boundary is available. */
  | "host-process";

/** One thing that is asked for. `kind`, `what` and `by` are what is trusted; the place may change. */
export interface Ask {
  kind: AskKind;
  /** Exact object, e.g. a command, a variable's name, an absolute path. */
  what: string;
  /** Recipient: the function and its argument, or a key of fastloop.yaml. */
  by: string;
  /** `file:line:column`, for display. */
  place?: string;
}
