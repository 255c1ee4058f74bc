import { cacheMountId } from "./cache-volume.ts";
import { changed, containerPath, withMount, withoutMount } from "./tree.ts";
import { canonicalHost } from "../registry/token.ts";
import { resolveOwner } from "../tree/owner.ts";
import { absolutePath } from "../values/paths.ts";
import { load, type Resolver } from "../values/resolver.ts";
import type { Call } from "../request/call.ts";
import {
  type CacheSharing,
  type CacheVolume,
  type Container,
  type Directory,
  type File,
  type Mount,
  type Owner,
  type Secret,
} from "../values/values.ts";
import { edited, scratch } from "../values/rooted.ts";

export const containerMountSdl = /* GraphQL */ `
    mounts: [String!]!
    withMountedDirectory(path: String!, source: ID! @expectedType(name: "Directory"), owner: String = "", readOnly: Boolean = false, expand: Boolean = false): Container!
    withMountedFile(path: String!, source: ID! @expectedType(name: "File"), owner: String = "", expand: Boolean = false): Container!
    withMountedCache(
      path: String!
      cache: ID! @expectedType(name: "CacheVolume")
      source: ID @expectedType(name: "Directory")
      sharing: CacheSharingMode
      owner: String
      expand: Boolean = false
    ): Container!
    withMountedTemp(path: String!, size: Int, expand: Boolean = false): Container!
    withMountedSecret(path: String!, source: ID! @expectedType(name: "Secret"), owner: String = "", mode: Int = 256, expand: Boolean = false): Container!
    withoutMount(path: String!, expand: Boolean = false): Container!
    withSecretVariable(name: String!, secret: ID! @expectedType(name: "Secret")): Container!
    withoutSecretVariable(name: String!): Container!
    withRegistryAuth(address: String!, username: String!, secret: ID! @expectedType(name: "Secret")): Container!
    withoutRegistryAuth(address: String!): Container!
`;

interface At {
  path: string;
  expand: boolean;
}

export const containerMountResolvers: Record<string, Resolver<Container>> = {
  mounts: (container) => container.mounts.map(({ target }) => target),

  withMountedDirectory: async (container, args: At & { source: string; owner: string; readOnly: boolean }, call) => {
    const directory = load<Directory>(call, args.source, "Directory");
    const owner = await resolveOwner(call, container.rootfs, args.owner);
    const source =
      owner === undefined
        ? { kind: "directory" as const, tree: directory.tree, path: directory.path }
        : chownedDirectory(directory, owner);
    return withMount(container, {
      target: containerPath(container, args.path, args.expand),
      readOnly: args.readOnly,
      source,
    });
  },
  withMountedFile: async (container, args: At & { source: string; owner: string }, call) => {
    const file = load<File>(call, args.source, "File");
    const owner = await resolveOwner(call, container.rootfs, args.owner);
    const source =
      owner === undefined ? { kind: "file" as const, tree: file.tree, path: file.path } : chownedFile(file, owner);
    return withMount(container, { target: containerPath(container, args.path, args.expand), readOnly: false, source });
  },
  withMountedCache: async (
    container,
    args: At & { cache: string; source?: string | null; sharing?: CacheSharing | null; owner?: string | null },
    call,
  ) => {
    const volume = load<CacheVolume>(call, args.cache, "CacheVolume");
    const source =
      args.source === undefined || args.source === null
        ? volume.source
        : load<Directory>(call, args.source, "Directory");
    const owner = await resolveOwner(call, container.rootfs, args.owner ?? volume.owner ?? "");
    const sharing = args.sharing ?? volume.sharing ?? "SHARED";
    return withMount(container, {
      target: containerPath(container, args.path, args.expand),
      readOnly: false,
      source: {
        kind: "cache",
        id: cacheMountId(volume.key, sharing, call.session.options),
        sharing,
        ...cacheBase(source, owner),
      },
    });
  },
  withMountedTemp: (container, args: At & { size?: number | null }) =>
    withMount(container, {
      target: containerPath(container, args.path, args.expand),
      readOnly: false,
      source: { kind: "tmpfs", sizeBytes: args.size ?? 0 },
    }),
  withMountedSecret: async (container, args: At & { source: string; owner: string; mode: number }, call) => {
    const secret = load<Secret>(call, args.source, "Secret");
    const owner = await resolveOwner(call, container.rootfs, args.owner);
    const mountPath = containerPath(container, args.path, args.expand);
    const mounted = { secret, mountPath, mode: args.mode, ...(owner === undefined ? {} : { owner }) };
    return changed(container, {
      secrets: [...container.secrets.filter((known) => known.mountPath !== mountPath), mounted],
    });
  },
  withoutMount: (container, args: At) => withoutMount(container, containerPath(container, args.path, args.expand)),

  withSecretVariable: (container, args: { name: string; secret: string }, call) => {
    const secret = load<Secret>(call, args.secret, "Secret");
    const others = container.secrets.filter(({ envName }) => envName !== args.name);
    return changed(container, { secrets: [...others, { secret, envName: args.name }] });
  },
  withoutSecretVariable: (container, { name }: { name: string }) =>
    changed(container, { secrets: container.secrets.filter(({ envName }) => envName !== name) }),

  withRegistryAuth: (container, args: { address: string; username: string; secret: string }, call) =>
    registryAuth(container, args, call),
  withoutRegistryAuth: (container, { address }: { address: string }, call) => {
    const host = canonicalHost(address);
    const { registryAuth: known } = call.session;
    for (let index = known.length - 1; index >= 0; index--) if (known[index]!.host === host) known.splice(index, 1);
    return { ...container, registryAuth: container.registryAuth.filter((credential) => credential.host !== host) };
  },
};

/**
 * Adds a credential for the whole session, as on a Dagger engine: BuildKit asks for credentials by host, without naming
 * the container.
 */
function registryAuth(
  container: Container,
  args: { address: string; username: string; secret: string },
  call: Call,
): Container {
  const secret = load<Secret>(call, args.secret, "Secret");
  const credential = { host: canonicalHost(args.address), username: args.username, secret };
  call.session.registryAuth.push(credential);
  return {
    ...container,
    registryAuth: [...container.registryAuth.filter(({ host }) => host !== credential.host), credential],
  };
}

function chownedDirectory(directory: Directory, owner: Owner): Mount["source"] {
  const tree = edited(scratch, {
    action: "copy-directory",
    source: directory.tree,
    sourcePath: directory.path,
    // Copy below the root, because BuildKit does not change the owner of a root.
    path: "/mount",
    include: [],
    exclude: [],
    owner,
    folder: "new",
    dropSetuid: true,
  });
  return { kind: "directory", tree, path: "/mount" };
}

function chownedFile(file: File, owner: Owner): Mount["source"] {
  const name = absolutePath("/", file.path.slice(file.path.lastIndexOf("/") + 1));
  const tree = edited(scratch, {
    action: "copy-file",
    source: file.tree,
    sourcePath: file.path,
    path: name,
    owner,
    dropSetuid: true,
  });
  return { kind: "file", tree, path: name };
}

/**
 * Returns the initial content of a new cache volume: the source's files, in a root folder that belongs to the given
 * owner.
 */
function cacheBase(
  source: Directory | undefined,
  owner: Owner | undefined,
): { base?: { tree: Directory["tree"]; path: string } } {
  if (source === undefined && owner === undefined) return {};
  if (source === undefined) {
    return { base: { tree: edited(scratch, { action: "mkdir", path: "/cache", mode: 0o755, owner }), path: "/cache" } };
  }
  const tree = edited(scratch, {
    action: "copy-directory",
    source: source.tree,
    sourcePath: source.path,
    path: "/cache",
    include: [],
    exclude: [],
    ...(owner === undefined ? {} : { owner }),
  });
  return { base: { tree, path: "/cache" } };
}
