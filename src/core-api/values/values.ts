/**
 * What the API hands out: immutable recipes. Nothing in here has been evaluated; a leaf (`stdout`, `entries`, `export`)
 * compiles the trees that it needs to LLB. Everything is plain data, so that a recipe has a digest (see ids.ts).
 */

/** A file system by the way it is made. Paths inside are absolute and clean. */
export type Tree =
  | { readonly kind: "scratch" }
  | { readonly kind: "image"; readonly reference: string; readonly platform: string; readonly name: string }
  | HostTree
  | { readonly kind: "edit"; readonly base: Tree; readonly edit: Edit }
  | { readonly kind: "exec"; readonly exec: Exec; readonly output: string }
  | { readonly kind: "diff"; readonly lower: Tree; readonly upper: Tree }
  /** The same tree, kept apart from edits on top of it. */
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

/** A snapshot of a folder of the host; the session serves it to BuildKit under `digest`. */
export interface HostTree {
  readonly kind: "host";
  readonly digest: string;
  /** The `local.session` and the name under which BuildKit asks for it. */
  readonly sessionId: string;
  readonly localName: string;
  readonly name: string;
  readonly entryCount: number;
  /** Our own plumbing, hidden from reporters. */
  readonly internal: boolean;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** One change of a tree. Literal ones carry their content; copies refer to another tree. */
export type Edit =
  | {
      readonly action: "write";
      readonly path: string;
      readonly contents: string;
      readonly mode: number;
      readonly owner?: Owner;
      readonly looked?: LookedAt;
    }
  | { readonly action: "mkdir"; readonly path: string; readonly mode: number; readonly owner?: Owner }
  /** An empty file of this user (`USER` of an image), which keeps its mode if it was there; no folder is made for it. */
  | { readonly action: "empty"; readonly path: string; readonly user: string }
  /** `pattern`: the path has wildcards; without it a name is a name. */
  | { readonly action: "remove"; readonly path: string; readonly pattern?: boolean }
  | { readonly action: "symlink"; readonly path: string; readonly target: string }
  | ({ readonly action: "copy-file" } & CopyEdit)
  | ({
      readonly action: "copy-directory";
      readonly include: readonly string[];
      readonly exclude: readonly string[];
    } & CopyEdit);

/**
 * What is at a file's path is found out by solve/looks.ts. `put`: a link gives way to the file, and into a folder that is there it goes
 * under its own name. `write`: a file that is there keeps its permissions and owner, through links as well.
 */
export type LookedAt = "put" | "write";

export interface CopyEdit {
  readonly source: Tree;
  readonly sourcePath: string;
  readonly path: string;
  readonly mode?: number;
  readonly owner?: Owner;
  /** Files lose their set-uid bit, as by `chown`. */
  readonly dropSetuid?: boolean;
  /** What the folder that is copied to becomes: `new` is made like the copied one; `like` is found out by solve/looks.ts. */
  readonly folder?: "new" | "like" | { readonly mode: number; readonly owner: Owner; readonly at?: string };
  readonly looked?: LookedAt;
  /** A file that is a tar archive, unpacked into the folder `path`. */
  readonly unpack?: boolean;
  /** Seconds since the epoch for every copied entry; the source's own times when absent. */
  readonly timestampSec?: number;
}

export type Expectation = "SUCCESS" | "FAILURE" | "ANY";

/** A command run in a container, with all that its result depends on. */
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
  /** What the command can reach by name. Their recipes are in the cache key, their addresses are not. */
  readonly services: readonly ServiceBinding[];
  readonly sockets: readonly ContainerSocket[];
}

/** A secret in an exec: by id only, BuildKit asks for the plaintext when the command starts. */
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
        /** The tree is what the container's last exec made of this mount: that exec is its key. */
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
  /** Kept as they came from the image. */
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
  /** Deeper mounts come after the ones that they are in. */
  readonly mounts: readonly Mount[];
  readonly secrets: readonly ContainerSecret[];
  readonly ports: readonly ExposedPort[];
  readonly annotations: readonly { readonly name: string; readonly value: string }[];
  /** `NAME=value`, in the environment of execs but in no cache key. */
  readonly volatileEnv: readonly string[];
  readonly services: readonly ServiceBinding[];
  readonly sockets: readonly ContainerSocket[];
  readonly registryAuth: readonly RegistryCredential[];
  /** Set right after `from` and `publish`-free; any change of the container clears it. */
  readonly imageReference?: string;
  /** The default arguments are the client's and not the image's: a service runs them without the entrypoint. */
  readonly givenDefaultArgs?: boolean;
  /** What `terminal` runs unless it is told. */
  readonly terminal?: { readonly args: readonly string[]; readonly nesting: boolean; readonly insecure: boolean };
  /** The exec whose output `stdout` and its kin give. */
  readonly exec?: Exec;
}

export interface Secret {
  readonly type: "Secret";
  /** What BuildKit and cache keys see; says nothing about the plaintext. */
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

/** A service by the way it is made; it runs once in a session, whoever uses it. */
export type Service = ContainerService | TunnelService | HostService;

/** A command that runs in a container while somebody needs it. */
export interface ContainerService {
  readonly type: "Service";
  readonly kind: "container";
  readonly container: Container;
  readonly args: readonly string[];
  readonly hostname?: string;
  readonly noInit: boolean;
  /** With root capabilities. */
  readonly insecure: boolean;
}

/** Ports of the host that lead to a service. */
export interface TunnelService {
  readonly type: "Service";
  readonly kind: "tunnel";
  readonly upstream: ContainerService;
  readonly ports: readonly PortForward[];
  readonly hostname?: string;
}

/** Ports that containers see and that lead to what the host can reach. */
export interface HostService {
  readonly type: "Service";
  readonly kind: "host";
  readonly host: string;
  readonly ports: readonly PortForward[];
  readonly hostname?: string;
}

export interface PortForward {
  /** Where connections are accepted; chosen by the engine when absent. */
  readonly frontend?: number;
  /** Where they lead. */
  readonly backend: number;
  readonly protocol: "TCP" | "UDP";
}

export interface ServiceBinding {
  readonly alias: string;
  readonly service: Service;
}

/** A socket of the host. */
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

/** What changed from one directory to another. */
export interface Changeset {
  readonly type: "Changeset";
  readonly before: Directory;
  readonly after: Directory;
}

export interface Host {
  readonly type: "Host";
}
