import { Inputs, type State, type StepOptions } from "./state.ts";
import { volumeKey } from "./volume-key.ts";
import { NONE } from "./wire.ts";

interface MountAt {
  /** Absolute path in the container. */
  destination: string;
}

export interface BindMount extends MountAt {
  kind: "bind";
  from: State;
  /** Path inside `from`; its root when absent. */
  selector?: string;
  /** A read-only mount has no output. */
  readonly?: boolean;
  /**
   * With `off`, the exec's cache key covers how the mount was created rather than the content of its files. Use it for
   * a large tree whose creation is keyed by content already, where hashing every file would cost more than it saves.
   */
  contentCache?: "default" | "on" | "off";
}

export interface CacheMount extends MountAt {
  kind: "cache";
  id: string;
  sharing?: "shared" | "private" | "locked";
  /** Initial content of a new cache. */
  from?: State;
  selector?: string;
}

export interface TmpfsMount extends MountAt {
  kind: "tmpfs";
  sizeBytes?: number;
}

export interface SecretMount extends MountAt {
  kind: "secret";
  id: string;
  uid?: number;
  gid?: number;
  /** Permission bits; 0400 when absent. */
  mode?: number;
  optional?: boolean;
}

export interface SshMount extends MountAt {
  kind: "ssh";
  id: string;
  uid?: number;
  gid?: number;
  /** Permission bits; 0600 when absent. */
  mode?: number;
  optional?: boolean;
}

export type Mount = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount;

export interface ExecOptions extends StepOptions {
  root: State;
  /** Makes the root file system read-only and without an output. */
  readonlyRoot?: boolean;
  args: readonly string[];
  /** `NAME=value` pairs, in order. */
  env?: readonly string[];
  cwd?: string;
  user?: string;
  hostname?: string;
  mounts?: readonly Mount[];
  secretEnv?: readonly { name: string; id: string; optional?: boolean }[];
  extraHosts?: readonly { host: string; ip: string }[];
  network?: "sandbox" | "host" | "none";
  /** Gives root capabilities. Requires the daemon's `security.insecure` entitlement. */
  insecure?: boolean;
  /** Proxy variables. They are in no cache key, because the proxies' names must not change a result. */
  proxy?: { http?: string; https?: string; ftp?: string; no?: string; all?: string };
  /** Exit codes that count as success; `[0]` when absent. */
  validExitCodes?: readonly number[];
}

/** Outputs of an exec. */
export interface ExecResult {
  readonly root: State;
  /** Digest of the exec in status updates and errors. */
  readonly digest: string;
  /** Returns a writable bind mount after the exec, or undefined for mounts without an output. */
  mount(destination: string): State | undefined;
}

const mountType = { bind: 0, secret: 1, ssh: 2, cache: 3, tmpfs: 4 } as const;
const sharing = { shared: 0, private: 1, locked: 2 } as const;
const contentCache = { default: 0, on: 1, off: 2 } as const;
const network = { sandbox: 0, host: 1, none: 2 } as const;

/**
 * Replaces BuildKit's `/etc/resolv.conf` if the session provides the secret. Like all secrets, its content is in no
 * cache key.
 */
export const resolverMount = {
  kind: "secret",
  destination: "/etc/resolv.conf",
  id: "fastloop-resolver",
  mode: 0o644,
  optional: true,
} as const satisfies SecretMount;

/**
 * Runs a command. Mounts are sorted by destination, so that their order does not change the cache key. Secrets come
 * after all other mounts: an exec whose start is delayed by a secret already holds the locked cache volumes that it
 * needs, and waits for none.
 */
export function exec(options: ExecOptions): ExecResult {
  const inputs = new Inputs();
  const outputs = new Map<string, number>();
  const root: BindMount = {
    kind: "bind",
    destination: "/",
    from: options.root,
    readonly: options.readonlyRoot ?? false,
  };
  const mounts = [...(options.mounts ?? [])].toSorted(
    (a, b) => Number(a.kind === "secret") - Number(b.kind === "secret") || (a.destination < b.destination ? -1 : 1),
  );

  const wire: object[] = [root, ...mounts].map((mount) => {
    const encoded = encodeMount(mount, inputs);
    if (mount.kind !== "bind" || mount.readonly === true) return { ...encoded, output: NONE };
    const output = outputs.size;
    outputs.set(mount.destination, output);
    return { ...encoded, output };
  });
  wire.push(
    ...volumeKey(
      mounts.flatMap((mount) =>
        mount.kind === "cache" ? [{ ...mount, sharing: sharing[mount.sharing ?? "shared"] }] : [],
      ),
    ),
  );

  const vertex = inputs.vertex(
    {
      exec: {
        meta: {
          args: options.args,
          env: options.env,
          cwd: options.cwd ?? "/",
          user: options.user,
          proxyEnv: encodeProxy(options.proxy),
          extraHosts: options.extraHosts,
          hostname: options.hostname,
          validExitCodes: options.validExitCodes,
          removeMountStubsRecursive: true,
        },
        mounts: wire,
        network: network[options.network ?? "sandbox"],
        security: options.insecure === true ? 1 : 0,
        secretEnv: options.secretEnv,
      },
    },
    options,
  );
  const state = (destination: string): State | undefined => {
    const output = outputs.get(destination);
    return output === undefined ? undefined : { vertex, output };
  };
  return { root: state("/") ?? options.root, digest: vertex.digest, mount: state };
}

/** Encodes a secret mount on which nothing else of an exec depends. */
export function encodeSecretMount(mount: SecretMount): object {
  const { destination, id, uid, gid, mode, optional } = mount;
  const at = { dest: destination, mountType: mountType.secret, input: NONE, output: NONE };
  return { ...at, secret: { id, uid, gid, mode: mode ?? 0o400, optional } };
}

function encodeMount(mount: Mount, inputs: Inputs): object {
  const at = { dest: mount.destination, mountType: mountType[mount.kind], input: NONE };
  switch (mount.kind) {
    case "bind":
      return {
        ...at,
        input: inputs.add(mount.from),
        selector: mount.selector,
        readonly: mount.readonly,
        contentCache: contentCache[mount.contentCache ?? "default"],
      };
    case "cache":
      return {
        ...at,
        input: mount.from === undefined ? NONE : inputs.add(mount.from),
        selector: mount.selector,
        cache: { id: mount.id, sharing: sharing[mount.sharing ?? "shared"] },
      };
    case "tmpfs":
      return { ...at, tmpfs: { size: mount.sizeBytes } };
    case "secret":
      return {
        ...at,
        secret: { id: mount.id, uid: mount.uid, gid: mount.gid, mode: mount.mode ?? 0o400, optional: mount.optional },
      };
    case "ssh":
      return {
        ...at,
        ssh: { id: mount.id, uid: mount.uid, gid: mount.gid, mode: mount.mode ?? 0o600, optional: mount.optional },
      };
  }
}

function encodeProxy(proxy: ExecOptions["proxy"]): object | undefined {
  if (proxy === undefined) return undefined;
  return {
    httpProxy: proxy.http,
    httpsProxy: proxy.https,
    ftpProxy: proxy.ftp,
    noProxy: proxy.no,
    allProxy: proxy.all,
  };
}
