import { file, resolverMount, scratch, type Mount as LlbMount, type State } from "../../llb/index.ts";
import { escapePattern } from "../tree/remove.ts";
import { absolutePath, relativeTo } from "../values/paths.ts";
import { recipeDigest } from "../values/ids.ts";
import type { Exec, Mount, ServiceBinding, Socket, Tree } from "../values/values.ts";

/** Where the shim, its records and the host's trust are mounted in every exec; see tools/shim. */
export const shimMountPath = "/.fastloop/bin";
export const metaMountPath = "/.fastloop/meta";
export const trustMountPath = "/.fastloop/trust";

/** Ids of the secrets that carry into execs: the host's CA certificates, variables, and settings of apt. */
export const trustSecrets = { ca: "fastloop-ca", environment: "fastloop-env", apt: "fastloop-apt" } as const;

/** A copy of the file that a command reads as its input, where its user may have no right to read it; see tools/shim. */
const inputMountPath = "/.fastloop/input";

/** Folder of the meta mount's tree that is mounted, and below which the shim's records are read. */
export const metaFolder = "/meta";

/** From here on a tree's files are not hashed for an exec's cache key; see docs/adr/0003-tree-snapshots.md. */
const largeTreeEntries = 1000;

/** Ids of variables that travel like secrets without being any. */
export const volatilePrefix = "volatile-";

/** The command as BuildKit runs it: the user's, under the shim. */
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
  /** Also large trees are hashed: another machine knows them by their content only. */
  hashLargeTrees?: boolean;
}

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
  // BuildKit asks for this file when the command is about to run, and not when its result is cached: that starts them.
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
 * Id of the `/etc/hosts` in which these bindings stand. It names what they are, so that it is in the exec's cache key; what
 * is bound to nothing shares one, which exists only while services run that were started by name.
 */
export function hostsSecretId(bindings: readonly ServiceBinding[]): string {
  return bindings.length === 0 ? hostsPrefix : `${hostsPrefix}-${recipeDigest(bindings)}`;
}

export function isHostsSecretId(id: string): boolean {
  return id.startsWith(hostsPrefix);
}

const ofContainerPrefix = "of-container-";

/** The same file for a container that is no exec: BuildKit asks for it by another id, which is in no cache key. */
export function hostsOfContainerId(id: string): string {
  return isHostsSecretId(id) ? `${ofContainerPrefix}${id}` : id;
}

/** The id of the `/etc/hosts` that a container which is no exec asks for. */
export function askedByContainer(id: string): string | undefined {
  return id.startsWith(ofContainerPrefix) ? id.slice(ofContainerPrefix.length) : undefined;
}

/** Id by which BuildKit asks for a connection to a socket of the host. */
export function socketId(socket: Socket): string {
  return `socket-${recipeDigest(socket)}`;
}

/** Whether commands run as root, who may read everything. */
export function isRoot(user: string): boolean {
  return /^(root|0)?(:|$)/.test(user);
}

/** A Dagger engine opens the file of `redirectStdin` as root, and hands it to the user's command. */
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
    // What is not there is the shim's to tell.
    allowWildcard: true,
    allowEmptyWildcard: true,
  } as const;
  const from = file(scratch, [copy], { name: "[internal] input" });
  return [{ kind: "bind", destination: inputMountPath, from, readonly: true }];
}

/** The shim writes its records as the exec's user: anyone may write into the folder. */
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
        // As on a Dagger engine, whoever comes second to a private volume waits for it, and finds what the first one left.
        sharing: source.sharing === "SHARED" ? "shared" : "locked",
        ...(source.base === undefined ? {} : { from: stateOf(source.base.tree), selector: source.base.path }),
      };
    default: {
      const tree = stateOf(source.tree);
      const isPart = source.path !== "/";
      // Hashing a large tree takes long: it is known by its name, except on other machines.
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
 * The part of a tree that is mounted, at its place and alone. BuildKit keys a writable mount of a part by the whole tree,
 * which comes out of the exec as well; of a copy only what is copied counts. A mount that cannot be written needs none.
 */
function partOf(tree: State, path: string): State {
  if (tree.vertex === undefined) return tree;
  const copy = { kind: "copy" as const, from: tree, source: path, destination: path, followSymlinks: true };
  return file(scratch, [copy], { name: `[internal] ${path} to mount` });
}

/** Whether a tree is a large snapshot of the host with only literal edits on it. */
export function isLargeSnapshot(tree: Tree): boolean {
  let base = tree;
  while (base.kind === "edit" && !("source" in base.edit)) base = base.base;
  return base.kind === "host" && base.entryCount >= largeTreeEntries;
}
