/**
 * Values that the API returns: immutable recipes that have not been evaluated. A leaf (`stdout`, `entries`, `export`)
 * compiles the trees that it needs to LLB. All values are plain data, so that a recipe has a digest (see ids.ts).
 */

/** Recipe of a file system. Paths inside it are absolute and clean. */
export type Tree =
  | { readonly kind: "scratch" }
  | { readonly kind: "image"; readonly reference: string; readonly platform: string; readonly name: string }
  | HostTree
  | { readonly kind: "edit"; readonly base: Tree; readonly edit: Edit }
  | { readonly kind: "exec"; readonly exec: Exec; readonly output: string }
  | { readonly kind: "diff"; readonly lower: Tree; readonly upper: Tree }
  /** The same tree, kept separate from edits on top of it. */
  | { readonly kind: "fixed"; readonly tree: Tree }
  | {
      readonly kind: "git";
      readonly remote: string;
      readonly ref: string;
      readonly keepGitDir: boolean;
      readonly name: string;
      /** Ids in BuildKit's secret store. */
      readonly tokenSecret?: string;
      readonly headerSecret?: string;
    }
  | { readonly kind: "definition"; readonly key: string };

/** Snapshot of a host folder. The session serves it to BuildKit under `digest`. */
export interface HostTree {
  readonly kind: "host";
  readonly digest: string;
  /** The `local.session` attribute, and the name that BuildKit asks for. */
  readonly sessionId: string;
  readonly localName: string;
  readonly name: string;
  readonly entryCount: number;
  /** Whether the tree is fastloop's own plumbing, which reporters hide. */
  readonly internal: boolean;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** One change of a tree. A literal edit carries its content; a copy refers to another tree. */
export type Edit =
  | {
      readonly action: "write";
      readonly path: string;
      readonly contents: string;
      readonly mode: number;
      readonly owner?: Owner;
      readonly looked?: WriteMode;
    }
  | { readonly action: "mkdir"; readonly path: string; readonly mode: number; readonly owner?: Owner }
  /** Empty file of `user` (an image's `USER`). An existing file keeps its mode. Parents are not created. */
  | { readonly action: "empty"; readonly path: string; readonly user: string }
  /** With `pattern`, the path has wildcards. Without it, the path is taken literally. */
  | { readonly action: "remove"; readonly path: string; readonly pattern?: boolean }
  | { readonly action: "symlink"; readonly path: string; readonly target: string }
  | ({ readonly action: "copy-file" } & CopyEdit)
  | ({
      readonly action: "copy-directory";
      readonly include: readonly string[];
      readonly exclude: readonly string[];
    } & CopyEdit);

/**
 * Edits that depend on what solve/destinations.ts finds at the path. `put`: the file replaces a link, and goes into a folder
 * under its own name. `write`: an existing file keeps its permissions and owner, also through links.
 */
export type WriteMode = "put" | "write";

export interface CopyEdit {
  readonly source: Tree;
  readonly sourcePath: string;
  readonly path: string;
  readonly mode?: number;
  readonly owner?: Owner;
  /** Files lose their set-uid bit, as with `chown`. */
  readonly dropSetuid?: boolean;
  /** Attributes of the destination: `new` is created like the copied folder, `like` is left to solve/destinations.ts. */
  readonly folder?: "new" | "like" | { readonly mode: number; readonly owner: Owner; readonly at?: string };
  readonly looked?: WriteMode;
  /** The source file is a tar archive to unpack into the folder `path`. */
  readonly unpack?: boolean;
  /** Modification time of all entries, in seconds since the epoch; the source's times when absent. */
  readonly timestampSec?: number;
}

export type Expectation = "SUCCESS" | "FAILURE" | "ANY";

/** A command run in a container, with everything that its result depends on. */
export interface Exec {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly platform: string;
  readonly rootfs: Tree;
  readonly shim: Tree;
  readonly mounts: readonly Mount[];
  readonly secrets: readonly ExecSecret[];
  readonly expect: Expectation;
  readonly stdin: string;
  readonly redirectStdin: string;
  readonly redirectStdout: string;
  readonly redirectStderr: string;
  readonly insecure: boolean;
  readonly noInit: boolean;
  /** Services that the command can reach by name. Cache keys contain their recipes but not their addresses. */
  readonly services: readonly ServiceBinding[];
  readonly sockets: readonly ContainerSocket[];
}

/** Reference to a secret in an exec. BuildKit asks for the plaintext by id when the command starts. */
export interface ExecSecret {
  readonly id: string;
  readonly envName?: string;
  readonly mountPath?: string;
  readonly owner?: Owner;
  readonly mode?: number;
}

export interface Mount {
  readonly target: string;
  readonly readOnly: boolean;
  readonly source:
    | {
        readonly kind: "directory" | "file";
        readonly tree: Tree;
        readonly path: string;
        /** The tree is the container's last exec's output for this mount, so that exec's key covers it. */
        readonly leftByExec?: boolean;
      }
    | {
        readonly kind: "cache";
        readonly id: string;
        readonly sharing: CacheSharing;
        readonly base?: { readonly tree: Tree; readonly path: string };
      }
    | { readonly kind: "tmpfs"; readonly sizeBytes: number };
}

export type CacheSharing = "SHARED" | "PRIVATE" | "LOCKED";

export interface Directory {
  readonly type: "Directory";
  readonly tree: Tree;
  readonly path: string;
}

export interface File {
  readonly type: "File";
  readonly tree: Tree;
  readonly path: string;
}

/** The part of an OCI image configuration that the API reads and writes. */
export interface ContainerConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
  /** This and the following fields keep the image's values; only `Healthcheck` can be set. */
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly StopSignal?: string;
  readonly Shell?: readonly string[];
  readonly OnBuild?: readonly string[];
  readonly Healthcheck?: Readonly<Record<string, unknown>>;
}

export interface ContainerSecret extends Omit<ExecSecret, "id"> {
  readonly secret: Secret;
}

export interface ExposedPort {
  readonly type: "Port";
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
  readonly description?: string;
  readonly experimentalSkipHealthcheck: boolean;
}

export type RegistryCredential = Readonly<{ host: string; username: string; secret: Secret }>;

export interface Container {
  readonly type: "Container";
  readonly platform: string;
  readonly rootfs: Tree;
  readonly config: ContainerConfig;
  /** A nested mount comes after the mount that contains it. */
  readonly mounts: readonly Mount[];
  readonly secrets: readonly ContainerSecret[];
  readonly ports: readonly ExposedPort[];
  readonly annotations: readonly { readonly name: string; readonly value: string }[];
  /** `NAME=value` pairs that are in the environment of execs but in no cache key. */
  readonly volatileEnv: readonly string[];
  readonly services: readonly ServiceBinding[];
  readonly sockets: readonly ContainerSocket[];
  readonly registryAuth: readonly RegistryCredential[];
  /** Set by `from`, and cleared by changes that go through `changed` (container/tree.ts). */
  readonly imageReference?: string;
  /** The client set the default arguments: unlike an image's, a service runs them without the entrypoint. */
  readonly givenDefaultArgs?: boolean;
  /** Command that `terminal` runs by default. */
  readonly terminal?: { readonly args: readonly string[]; readonly nesting: boolean; readonly insecure: boolean };
  /** The exec whose output `stdout`, `stderr`, `combinedOutput` and `exitCode` return. */
  readonly exec?: Exec;
}

export interface Secret {
  readonly type: "Secret";
  /** Id for BuildKit and cache keys, which reveals nothing about the plaintext. */
  readonly id: string;
  readonly name: string;
  readonly uri: string;
}

export interface CacheVolume {
  readonly type: "CacheVolume";
  readonly key: string;
  readonly sharing?: CacheSharing;
  readonly source?: Directory;
  readonly owner?: string;
}

/** Recipe of a service. A session runs it at most once, however many users it has. */
export type Service = ContainerService | TunnelService | HostService;

/** A command that runs in a container while it is needed. */
export interface ContainerService {
  readonly type: "Service";
  readonly kind: "container";
  readonly container: Container;
  readonly args: readonly string[];
  readonly hostname?: string;
  readonly noInit: boolean;
  /** Whether the command gets root capabilities. */
  readonly insecure: boolean;
}

/** Ports on the host that forward to a service. */
export interface TunnelService {
  readonly type: "Service";
  readonly kind: "tunnel";
  readonly upstream: ContainerService;
  readonly ports: readonly PortForward[];
  readonly hostname?: string;
}

/** Ports in the containers' network that forward to an address that the host can reach. */
export interface HostService {
  readonly type: "Service";
  readonly kind: "host";
  readonly host: string;
  readonly ports: readonly PortForward[];
  readonly hostname?: string;
}

export interface PortForward {
  /** Port that accepts connections; the engine chooses one when absent. */
  readonly frontend?: number;
  /** Port that connections are forwarded to. */
  readonly backend: number;
  readonly protocol: "TCP" | "UDP";
}

export interface ServiceBinding {
  readonly alias: string;
  readonly service: Service;
}

/** A unix socket on the host. */
export interface Socket {
  readonly type: "Socket";
  /** Absolute path on the host. */
  readonly path: string;
}

export interface ContainerSocket {
  readonly path: string;
  readonly socket: Socket;
  readonly owner?: Owner;
}

/** Changes from one directory to another. */
export interface Changeset {
  readonly type: "Changeset";
  readonly before: Directory;
  readonly after: Directory;
}

export interface Host {
  readonly type: "Host";
}
