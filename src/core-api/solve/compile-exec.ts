import { file, resolverMount, scratch, type Mount as LlbMount, type State } from "../../llb/index.ts";
import { escapePattern } from "../tree/remove.ts";
import { absolutePath, relativeTo } from "../values/paths.ts";
import { recipeDigest } from "../values/ids.ts";
import type { Exec, Mount, ServiceBinding, Socket, Tree } from "../values/values.ts";

/** Mount points of the shim, its records and the host's trust settings in every exec; see tools/shim. */
export const shimMountPath = "/.fastloop/bin";
export const metaMountPath = "/.fastloop/meta";
export const trustMountPath = "/.fastloop/trust";

/** Ids of the secrets that pass the host's CA certificates, variables and apt settings to execs. */
export const trustSecrets = { ca: "fastloop-ca", environment: "fastloop-env", apt: "fastloop-apt" } as const;

/**
 * Mount point of a copy of the file that a command reads as its stdin, for users who may not be allowed to read the
 * original; see tools/shim.
 */
const inputMountPath = "/.fastloop/input";

/** Folder of the meta mount's tree that is mounted. The shim's records are read from below it. */
export const metaFolder = "/meta";

/**
 * Trees with at least this many entries are not hashed for an exec's cache key; see docs/adr/0003-tree-snapshots.md.
 */
const largeTreeEntries = 1000;

/** Prefix of the ids of volatile variables, which are passed like secrets but are none. */
export const volatilePrefix = "volatile-";

/** Returns the command that BuildKit runs: the user's, started by the shim. */
export function execCommand(exec: Exec): string[] {
  const flags: string[] = [];
  if (exec.expect !== "SUCCESS") flags.push("--expect", exec.expect.toLowerCase());
  if (exec.redirectStdin !== "") flags.push("--redirect-stdin", exec.redirectStdin);
  if (exec.redirectStdout !== "") flags.push("--redirect-stdout", exec.redirectStdout);
  if (exec.redirectStderr !== "") flags.push("--redirect-stderr", exec.redirectStderr);
  if (exec.noInit) flags.push("--no-init");
  for (const { id, envName, mountPath } of exec.secrets) {
    if (id.startsWith(volatilePrefix)) continue;
    if (envName !== undefined) flags.push("--scrub-env", envName);
    if (mountPath !== undefined) flags.push("--scrub-file", mountPath);
  }
  return [`${shimMountPath}/shim`, ...flags, "--", ...exec.args];
}

export interface MountKeys {
  /** Whether to hash large trees too: another machine recognizes them by their content only. */
  hashLargeTrees?: boolean;
}

/** Returns an exec's mounts: the shim's, the user's, secrets, `/etc/hosts` and sockets. */
export function execMounts(exec: Exec, stateOf: (tree: Tree) => State, keys: MountKeys = {}): LlbMount[] {
  const mounts: LlbMount[] = [
    { kind: "bind", destination: shimMountPath, from: stateOf(exec.shim), readonly: true },
    { kind: "bind", destination: metaMountPath, from: metaTree(exec.stdin), selector: metaFolder },
    { kind: "secret", destination: `${trustMountPath}/ca.pem`, id: trustSecrets.ca, mode: 0o444, optional: true },
    { kind: "secret", destination: `${trustMountPath}/env`, id: trustSecrets.environment, mode: 0o444, optional: true },
    { kind: "secret", destination: `${trustMountPath}/apt.conf`, id: trustSecrets.apt, mode: 0o444, optional: true },
    resolverMount,
  ];
  for (const mount of exec.mounts) mounts.push(userMount(mount, stateOf, keys));
  mounts.push(...inputMounts(exec, stateOf));
  for (const secret of exec.secrets) {
    if (secret.mountPath === undefined) continue;
    mounts.push({
      kind: "secret",
      destination: secret.mountPath,
      id: secret.id,
      uid: secret.owner?.uid ?? 0,
      gid: secret.owner?.gid ?? 0,
      mode: secret.mode,
    });
  }
  // BuildKit asks for this file when the command is about to run, and does not when the result is cached. The request
  // starts the services.
  const optional = exec.services.length === 0;
  mounts.push({ kind: "secret", destination: "/etc/hosts", id: hostsSecretId(exec.services), mode: 0o644, optional });
  for (const { path, socket, owner } of exec.sockets) {
    mounts.push({
      kind: "ssh",
      destination: path,
      id: socketId(socket),
      uid: owner?.uid ?? 0,
      gid: owner?.gid ?? 0,
      mode: 0o600,
    });
  }
  return mounts;
}

const hostsPrefix = "fastloop-hosts";

/**
 * Returns the id of the `/etc/hosts` for bindings. The id includes their recipes, which puts them into the exec's cache
 * key. Execs without bindings share one id, whose file exists only while explicitly started services run.
 */
export function hostsSecretId(bindings: readonly ServiceBinding[]): string {
  return bindings.length === 0 ? hostsPrefix : `${hostsPrefix}-${recipeDigest(bindings)}`;
}

export function isHostsSecretId(id: string): boolean {
  return id.startsWith(hostsPrefix);
}

const ofContainerPrefix = "of-container-";

/**
 * Returns the id of the same file for a container that is not an exec. BuildKit asks for it by another id, which is in
 * no cache key.
 */
export function hostsOfContainerId(id: string): string {
  return isHostsSecretId(id) ? `${ofContainerPrefix}${id}` : id;
}

/** Returns the `/etc/hosts` id behind an id that such a container asks for, or undefined for other ids. */
export function askedByContainer(id: string): string | undefined {
  return id.startsWith(ofContainerPrefix) ? id.slice(ofContainerPrefix.length) : undefined;
}

/** Returns the id by which BuildKit asks for a connection to a host socket. */
export function socketId(socket: Socket): string {
  return `socket-${recipeDigest(socket)}`;
}

/** Reports whether a command's user is root, who may read everything. */
export function isRoot(user: string): boolean {
  return /^(root|0)?(:|$)/.test(user);
}

/**
 * Mounts a readable copy of the `redirectStdin` file. A Dagger engine opens that file as root and passes it to the
 * user's command.
 */
function inputMounts(exec: Exec, stateOf: (tree: Tree) => State): LlbMount[] {
  if (exec.redirectStdin === "" || isRoot(exec.user)) return [];
  const secret = exec.secrets.find(({ mountPath }) => mountPath === exec.redirectStdin);
  if (secret !== undefined)
    return [{ kind: "secret", destination: `${inputMountPath}/file`, id: secret.id, mode: 0o444 }];
  const mount = exec.mounts.findLast(({ target }) => relativeTo(target, exec.redirectStdin) !== undefined);
  if (mount !== undefined && !("tree" in mount.source)) return [];
  const { tree, path } =
    mount === undefined ? { tree: exec.rootfs, path: "/" } : (mount.source as { tree: Tree; path: string });
  const source = absolutePath(path, `./${relativeTo(mount?.target ?? "/", exec.redirectStdin)}`);
  const copy = {
    kind: "copy",
    from: stateOf(tree),
    source: escapePattern(source),
    destination: "/file",
    mode: 0o444,
    followSymlinks: true,
    // A missing file is reported by the shim.
    allowWildcard: true,
    allowEmptyWildcard: true,
  } as const;
  const from = file(scratch, [copy], { name: "[internal] input" });
  return [{ kind: "bind", destination: inputMountPath, from, readonly: true }];
}

/**
 * Returns the tree for the shim's records. The shim writes them as the exec's user, so anyone may write to the folder.
 */
function metaTree(stdin: string): State {
  return file(
    scratch,
    [
      { kind: "mkdir", path: metaFolder, mode: 0o777 },
      ...(stdin === "" ? [] : [{ kind: "mkfile" as const, path: `${metaFolder}/stdin`, content: stdin, mode: 0o644 }]),
    ],
    { name: "[internal] exec records" },
  );
}

function userMount(mount: Mount, stateOf: (tree: Tree) => State, { hashLargeTrees = false }: MountKeys): LlbMount {
  const { source, target: destination } = mount;
  switch (source.kind) {
    case "tmpfs":
      return { kind: "tmpfs", destination, ...(source.sizeBytes > 0 ? { sizeBytes: source.sizeBytes } : {}) };
    case "cache":
      return {
        kind: "cache",
        destination,
        id: source.id,
        // As on a Dagger engine, the second user of a private volume waits for the first, and finds what it left.
        sharing: source.sharing === "SHARED" ? "shared" : "locked",
        ...(source.base === undefined ? {} : { from: stateOf(source.base.tree), selector: source.base.path }),
      };
    default: {
      const tree = stateOf(source.tree);
      const isPart = source.path !== "/";
      // Hashing a large tree takes long, so it is keyed by its name unless other machines need the key.
      const isNamed = !hashLargeTrees && isLargeSnapshot(source.tree);
      return {
        kind: "bind",
        destination,
        from: isPart && !mount.readOnly && source.leftByExec !== true ? partOf(tree, source.path) : tree,
        selector: source.path,
        readonly: mount.readOnly,
        ...(!isPart && isNamed ? { contentCache: "off" as const } : {}),
      };
    }
  }
}

/**
 * Returns a copy of the mounted part of a tree, at the same path. BuildKit keys a writable mount of a part by the whole
 * tree, because the whole tree is also an output of the exec. With a copy, only the copied part counts. Read-only
 * mounts do not need this.
 */
function partOf(tree: State, path: string): State {
  if (tree.vertex === undefined) return tree;
  const copy = { kind: "copy" as const, from: tree, source: path, destination: path, followSymlinks: true };
  return file(scratch, [copy], { name: `[internal] ${path} to mount` });
}

/** Reports whether a tree is a large host snapshot, possibly with literal edits on top. */
export function isLargeSnapshot(tree: Tree): boolean {
  let base = tree;
  while (base.kind === "edit" && !("source" in base.edit)) base = base.base;
  return base.kind === "host" && base.entryCount >= largeTreeEntries;
}
